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
from functools import cached_property
from itertools import pairwise
from typing import Final, NamedTuple

from lianxin.kernel.bigrams import LETTERS, bigrams, fold

LENGTH: Final = 400  # characters of a text that are compared
HEAD: Final = 40  # characters that stand for a title where there is none
PLACED: Final = 150  # characters in which places are looked for: people begin with them
RAREST: Final = 6  # of the pairs both have, so many tell how rare the rarest are
KNOWN: Final = 1000  # pairs whose share is known, as PostgreSQL's statistics hold them
UNSURE: Final = 0.5  # for places, where neither names one

_RUN = re.compile(f"[{LETTERS}]+")
# How long it lasts and at what time of day: 三天, 好几个小时, 晚上十点半. Months and years stay: who says 八个月 says something.
_NUMBER = "0123456789一二两三四五六七八九十百几半数多"
_TIME = f"[{_NUMBER}]*[个多来余]{{0,2}}(?:天|夜|晚|周|星期|礼拜|小时|钟头|分钟|点[钟半多]?)"
# Words that say nothing about the matter, the forms of letters among them. Each alternative begins with one character that
# is written out, so that `re` passes over all others at once: four times as fast.
_EMPTY = re.compile("|".join((
    *(number + _TIME for number in _NUMBER), *(f"好{number}{_TIME}" for number in _NUMBER),
    "我们|你们|他们|这个|那个|这里|那里|一个|一直|没有|不能|可以|已经|现在|今天|昨天|早上|晚上|上午|下午|希望|请问|反映",
    "投诉|求助|举报|咨询|建议|关于|小区|社区|街道|附近|因为|所以|还是|就是|为什么|什么时候|什么|怎么|时候|问题|情况",
    "处理|解决|有人|好几天|几天|几个|多久|要求|尽快|谢谢|麻烦|你好|您好|热线|居民|市民|部门|有关|相关|来电|电话|家里|我家",
    "门口|旁边|物业|我是|尊敬的|领导|书记|市长|县长|局长|市委|市政府|政府|大力倡导|大背景下|刻不容缓|有何具体行动|有何具体",
    "加快|力度|步伐|全覆盖|何时|能否|恳请|请求|严重",
)))
# What a place is called in general. The two to six characters before it are its name.
_KINDS = (
    "小区|花园|家园|公寓|公馆|新城|新村|华庭|国际|豪庭|佳苑|雅苑|大道|路口|街道|小学|中学|幼儿园|大学|学院|学校|附小|附中|社区|公司|医院|"
    "驾校|银行|集团|广场|大厦|酒店|公园|市场|大桥|地铁站|火车站|车站|公交站|[苑府湾郡庭路街巷村镇乡桥城]"
)
_NOT_A_NAME = (
    "请问|咨询|反映|投诉|举报|建议|关于|希望|请求|位于|地处|我们|附近|来自|[市区县的在和与及对把将给从到至了是有被住旁]"
)
_NAMED = re.compile(f"(?:(?!{_NOT_A_NAME})[\u4e00-\u9fff]){{2,6}}?(?:{_KINDS})")
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
FACTORS: Final = Factors(words=5.41, heads=3.91, places=3.45, rare=3.41, start=-8.01)
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


@dataclass(frozen=True)
class Text:
    """The words of one case, ready to be compared: `said` in full, what stands `first`, both folded. Sets of pairs are held
    with the weight of each, and made when they are first asked for: most texts are set aside before."""

    said: str
    first: str
    rarity: Rarity

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
        return cls(said[:LENGTH], first, rarity)

    @cached_property
    def body(self) -> str:
        """What is said, without the words that say nothing about the matter."""
        return _EMPTY.sub(" ", self.said)

    @cached_property
    def grams(self) -> Mapping[str, float]:
        return _weighed(self.body, self.rarity)

    @cached_property
    def head(self) -> Mapping[str, float]:
        return _weighed(_EMPTY.sub(" ", self.first), self.rarity)

    @cached_property
    def placed(self) -> Mapping[str, float]:
        """Of the names of places."""
        places = " ".join(_NAMED.findall(_DISTRICT.sub(" ", self.said[:PLACED])))
        return _weighed(_EMPTY.sub(" ", places), self.rarity)


def _weighed(folded: str, rarity: Rarity) -> dict[str, float]:
    """`bigrams` of a text that is folded already, each with its weight."""
    weights = rarity.weights
    return {gram: weights.get(gram, 1.0) for run in _RUN.findall(folded) for gram in map("".join, pairwise(run))}


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


def at_most(first: Text, second: Text) -> float:
    """No less than `logit` without what places add; minus infinity where they share no pair. Quick: of the second text only the
    characters are looked at."""
    said = second.said
    shared = sorted((weight for gram, weight in first.grams.items() if gram in said), reverse=True)
    if not shared:
        return -math.inf
    head = sum(first.head.values())
    # The second text weighs no less than what it shares.
    bounds = Factors(
        words=math.sqrt(sum(shared) / whole) if (whole := sum(first.grams.values())) else 1.0,
        heads=sum(weight for gram, weight in first.head.items() if gram in said) / head if head else 1.0,
        places=0.0, rare=sum(shared[:RAREST]) / RAREST, start=1.0,
    )
    return sum(factor * value for factor, value in zip(FACTORS, bounds, strict=True)) + 1e-9  # sums are rounded


def logit(first: Text, second: Text) -> float:
    """The score before it is pressed between 0 and 1."""
    return sum(factor * value for factor, value in zip(FACTORS, features(first, second), strict=True))


def pressed(value: float) -> float:
    """A logit as a score between 0 and 1."""
    return 1 / (1 + math.exp(-value)) if value > -700 else 0.0


def score(first: Text, second: Text) -> float:
    """0 to 1, the same both ways round: how likely two texts are about one matter, as far as words go."""
    return pressed(logit(first, second))
