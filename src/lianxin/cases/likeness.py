"""How alike two texts are as reports of one matter: pure, of words and the places named in them. Never of who says it.

Characters are taken in pairs (`kernel.bigrams`) and weighed by how rare they are: that two people write 搅拌站 says much,
that both write 严重 says nothing. Four things are looked at and added up in a logistic score:

- `words`: the weight that both texts share (cosine);
- `heads`: how much of what each puts first the other says too, the lesser of the two;
- `places`: how much of the places that one names the other names too;
- `rare`: how rare the rarest pairs are that both have.

Letters written by one hand are alike in everything but the place; the places and the heads hold them apart. What was
measured and how the factors came about: docs/reference/same-matter.md.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from lianxin.kernel.bigrams import LETTERS, bigrams, fold

LENGTH: Final = 400  # characters of a text that are compared
HEAD: Final = 40  # characters that stand for a title where there is none
PLACED: Final = 150  # characters in which places are looked for: people begin with them
RAREST: Final = 6  # of the pairs both have, so many tell how rare the rarest are
KNOWN: Final = 1000  # pairs whose share is known, as PostgreSQL's statistics hold them
UNSURE: Final = 0.5  # for places, where neither names one

_RUN = re.compile(f"[{LETTERS}]+")
# Words that say nothing about the matter, the forms of letters among them.
_EMPTY = re.compile("|".join((
    "我们|你们|他们|这个|那个|这里|那里|一个|一直|没有|不能|可以|已经|现在|今天|昨天|早上|晚上|上午|下午|希望|请问|反映",
    "投诉|求助|举报|咨询|建议|关于|小区|社区|街道|附近|因为|所以|还是|就是|为什么|什么时候|什么|怎么|时候|问题|情况",
    "处理|解决|有人|好几天|几天|几个|多久|要求|尽快|谢谢|麻烦|你好|您好|热线|居民|市民|部门|有关|相关|来电|电话|家里|我家",
    "门口|旁边|物业|我是|尊敬的|领导|书记|市长|县长|局长|市委|市政府|政府|大力倡导|大背景下|刻不容缓|有何具体行动|有何具体",
    "加快|力度|步伐|全覆盖|何时|能否|恳请|请求|严重",
)))
# What a place is called in general. The two to six characters before it are its name.
_KINDS = (
    "小区|花园|家园|公寓|公馆|新城|新村|华庭|国际|豪庭|佳苑|雅苑|苑|府|湾|郡|庭|大道|路口|路|街道|街|巷|小学|中学|幼儿园|大学|学院|学校|"
    "附小|附中|村|社区|镇|乡|公司|医院|驾校|银行|集团|广场|大厦|酒店|公园|市场|大桥|桥|城|地铁站|火车站|车站|公交站"
)
_NOT_A_NAME = (
    "请问|咨询|反映|投诉|举报|建议|关于|希望|请求|位于|地处|市|区|县|的|在|和|与|及|对|把|将|给|从|到|至|了|是|有|被|我们|住|附近|旁|来自"
)
_NAMED = re.compile(f"((?:(?!{_NOT_A_NAME})[\u4e00-\u9fff]){{2,6}}?)(?:{_KINDS})")
# Districts whose names an anonymised text gives as letters: a3区.
_DISTRICT = re.compile("[a-z][0-9]+[市区县]")


class Factors(NamedTuple):
    """What a logistic score is added up from."""

    words: float
    heads: float
    places: float
    rare: float
    start: float


# Learnt on the half of the labelled pairs that is called `tune` by `lianxin triage measure-pairs … --fit`.
FACTORS: Final = Factors(words=5.35, heads=3.94, places=3.45, rare=3.40, start=-8.00)
SAME: Final = 0.5  # from this score on two texts are called one matter, where words are all there is


@dataclass(frozen=True, slots=True)
class Rarity:
    """In what share of texts the common pairs of characters stand. A pair that is not among them is as rare as the rarest
    that is. Without any, all pairs weigh the same."""

    shares: Mapping[str, float] = field(default_factory=dict)
    weights: Mapping[str, float] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        least = -math.log(min(max(min(self.shares.values(), default=0.5), 1e-9), 0.5))
        object.__setattr__(self, "weights", {
            gram: (math.log(min(max(share, 1e-9), 1.0)) / least) ** 2 for gram, share in self.shares.items()})

    @classmethod
    def of(cls, texts: Iterable[str], *, most: int = KNOWN) -> Rarity:
        """Counted in texts, the `most` common pairs kept."""
        counts: Counter[str] = Counter()
        total = 0
        for text in texts:
            counts.update(bigrams(text))
            total += 1
        return cls({gram: count / total for gram, count in counts.most_common(most)})

    def weight(self, gram: str) -> float:
        """0 for a pair in every text, 1 for the rarest."""
        return self.weights.get(gram, 1.0)


EVEN: Final = Rarity()


@dataclass(frozen=True, slots=True)
class Text:
    """The words of one case, ready to be compared. Every set of pairs is held with the weight of each."""

    body: str
    grams: Mapping[str, float]
    head: Mapping[str, float]
    placed: Mapping[str, float]

    @classmethod
    def of(cls, words: str, *, title: str = "", names: Iterable[str] = (), rarity: Rarity = EVEN) -> Text:
        """`names` are of areas that the case is known to lie in: to name them says nothing about the matter."""
        first = fold(title.strip())
        said = fold(" ".join(words.split()))
        if not first:
            first = said[:HEAD]
        elif not said.startswith(first):
            said = f"{first} {said}"
        for name in sorted(names, key=len, reverse=True):
            first, said = first.replace(name, " "), said.replace(name, " ")
        said = said[:LENGTH]
        body = _EMPTY.sub(" ", said)
        places = " ".join(found.group() for found in _NAMED.finditer(_DISTRICT.sub(" ", said[:PLACED])))

        def weighed(text: str) -> dict[str, float]:
            return {gram: rarity.weight(gram) for gram in bigrams(text)}

        return cls(body, weighed(body), weighed(_EMPTY.sub(" ", first)), weighed(_EMPTY.sub(" ", places)))


def _covered(part: Mapping[str, float], whole: Mapping[str, float]) -> float | None:
    """The share of the weight of `part` that `whole` holds; None of nothing."""
    total = sum(part.values())
    return sum(weight for gram, weight in part.items() if gram in whole) / total if total else None


def shared_words(first: Text, second: Text, *, most: int = 2) -> tuple[str, ...]:
    """The pieces that both texts hold and that say most: the rarest and longest, at most `most`."""
    found: dict[str, float] = {}
    for run in _RUN.findall(first.body):
        start = 0
        while start < len(run) - 1:
            end = start + 2
            if run[start:end] not in second.body:
                start += 1
                continue
            while end < len(run) and run[start:end + 1] in second.body:
                end += 1
            piece = run[start:end]
            found[piece] = sum(first.grams.get(gram, 0.0) for gram in bigrams(piece))
            start = end - 1
    best = sorted(found, key=lambda piece: (-found[piece], -len(piece), piece))
    return tuple(piece for n, piece in enumerate(best) if not any(piece in other for other in best[:n]))[:most]


def places_shared(first: Text, second: Text) -> float | None:
    """Of the places that one names, how much the other names too, 0 to 1; None where neither names one."""
    parts = (_covered(first.placed, second.grams), _covered(second.placed, first.grams))
    return max((part for part in parts if part is not None), default=None)


def features(first: Text, second: Text) -> Factors:
    """What is looked at, each between 0 and 1; `start` is 1."""
    shared = sorted((weight for gram, weight in first.grams.items() if gram in second.grams), reverse=True)
    whole = math.sqrt(sum(first.grams.values()) * sum(second.grams.values()))
    heads = [part for part in (_covered(first.head, second.grams), _covered(second.head, first.grams)) if part is not None]
    places = places_shared(first, second)
    return Factors(
        words=sum(shared) / whole if whole else 0.0, heads=min(heads, default=0.0), places=UNSURE if places is None else places,
        rare=sum(shared[:RAREST]) / RAREST, start=1.0,
    )


def logit(first: Text, second: Text) -> float:
    """The score before it is pressed between 0 and 1."""
    return sum(factor * value for factor, value in zip(FACTORS, features(first, second), strict=True))


def pressed(value: float) -> float:
    """A logit as a score between 0 and 1."""
    return 1 / (1 + math.exp(-value)) if value > -700 else 0.0


def score(first: Text, second: Text) -> float:
    """0 to 1, the same both ways round: how likely two texts are about one matter, as far as words go."""
    return pressed(logit(first, second))
