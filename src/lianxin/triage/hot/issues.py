"""What a cluster is called, where it is, since when, by how many, and whether it rises."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import log
from typing import Any, Final

from .messages import Message
from .names import Reader, plain

WEEKS: Final = 12  # weeks of the trend, the last one ending with the stream
RECENT: Final = 14  # days; the trend compares them with as many before
RISING: Final = 2  # times as many as before, and at least `SEEN` of them
SEEN: Final = 3
LONGEST: Final = 6  # characters of a word in a name
PART: Final = 0.7  # a run that stands so often inside one longer run is a part of a word
_WORDS: Final = 3  # words in a name
_NOT_WORDS: Final = frozenset([
    "小区", "附近", "旁边", "问题", "投诉", "反映", "请问", "咨询", "希望", "建议", "严重", "关于", "什么", "时候", "何时", "再次",
    "有关", "相关", "政府", "领导", "部门", "解决", "处理", "请求", "要求", "举报", "强烈", "怎么", "为何", "如何", "是否",
    "能否", "可以", "尽快", "业主", "我们", "居民",
])
# When it is says nothing about what it is: 傍晚, 每天早上六点. At night it may – 夜间施工 – and yet names nothing by itself.
_NIGHT: Final = frozenset(["凌晨", "夜里", "夜间", "深夜", "半夜", "晚上", "夜晚"])
_WHEN: Final = re.compile(
    "[今昨前明每天]{0,2}(?:清晨|早晨|早上|上午|中午|下午|傍晚|早晚|白天|[今昨每]晚|周末|(?:凌晨|晚上)(?=[零一二两三四五六七八九十]))"
    "[零一二两三四五六七八九十半点多钟到至]*")


@dataclass(frozen=True, slots=True)
class Issue:
    """One matter: the ids of its messages in the order they came, distinct voices, first and last day, and per week of
    the last `WEEKS` the voices heard. `direction` is new, rising, steady, falling or over."""

    ids: tuple[str, ...]
    name: str
    place: str
    districts: tuple[str, ...]
    first: date | None
    last: date | None
    voices: int
    weeks: tuple[int, ...]
    direction: str

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "place": self.place,
            "districts": list(self.districts),
            "first_seen": self.first.isoformat() if self.first else None,
            "last_seen": self.last.isoformat() if self.last else None,
            "messages": len(self.ids),
            "reporters": self.voices,
            "trend": {"weeks": list(self.weeks), "direction": self.direction},
            "ids": list(self.ids),
        }


class Namer:
    """Describes clusters of one stream; how common a word is in all of it decides what marks a cluster."""

    def __init__(self, messages: Sequence[Message], reader: Reader, areas: frozenset[str] = frozenset()) -> None:
        """`areas` are names of areas, which give way to a name that as many have: an estate says more than its village."""
        self._messages, self._areas = messages, areas
        self._places = [reader.of(message) for message in messages]
        self._titles = [_WHEN.sub(" ", plain(message.title)) for message in messages]
        self._common = Counter(gram for title in self._titles for gram in _grams(title, LONGEST + 1))
        self._longer: dict[str, int] = {}
        for gram, count in self._common.items():
            for part in (gram[1:], gram[:-1]):
                self._longer[part] = max(self._longer.get(part, 0), count)
        self._until = max((message.at.date() for message in messages if message.at), default=None)

    def issue(self, members: Sequence[int]) -> Issue:
        chosen = sorted(members, key=lambda index: (self._messages[index].at is None, self._messages[index].at or 0, index))
        name, place, districts = self.called(members)
        days = [at.date() for index in members if (at := self._messages[index].at)]
        weeks, direction = self._trend(members)
        return Issue(
            tuple(self._messages[index].id for index in chosen), name or plain(self._messages[members[0]].title)[:20], place, districts,
            min(days, default=None), max(days, default=None),
            len({self._messages[index].voice for index in members}), weeks, direction,
        )

    def called(self, members: Sequence[int]) -> tuple[str, str, tuple[str, ...]]:
        """Name, place and districts, of words that several of the messages share: the name is empty where there are none."""
        place, districts = self._place(members)
        return self._name(members, place), place, districts

    def _place(self, members: Sequence[int]) -> tuple[str, tuple[str, ...]]:
        """The name that most of the messages have, rather than an area's, and the shorter of two; the districts that
        at least a third of those name that name any."""
        texts = [self._places[index].text for index in members]
        counts = {name: sum(name in text for text in texts)
                  for name in {name for index in members for name in self._places[index].names}}
        best = max(counts.items(), key=lambda item: (item[1], item[0] not in self._areas, -len(item[0]), item[0]), default=("", 0))
        districts = Counter(name for index in members for name in self._places[index].districts)
        naming = sum(bool(self._places[index].districts) for index in members)
        return (best[0] if best[1] * 2 >= len(members) else "",
                tuple(sorted(name for name, count in districts.items() if count * 3 >= naming)))

    def _name(self, members: Sequence[int], place: str) -> str:
        """The place and the words that mark the cluster: in many of its titles, in few others."""
        seen: Counter[str] = Counter()
        for index in members:
            grams = _grams(self._titles[index].replace(place, " ") if place else self._titles[index], LONGEST)
            seen.update(gram for gram in grams if self._longer.get(gram, 0) < PART * self._common[gram])
        least = max(min(2, len(members)), len(members) / 4)
        total = len(self._messages)
        marked = sorted(
            ((count / len(members) * log(1 + total / self._common[gram]) * len(gram) ** 0.7, gram)
             for gram, count in seen.items() if count >= least and gram not in _NIGHT),
            key=lambda item: (-item[0], item[1]))
        words: list[str] = []
        for _, gram in marked:
            if len(words) < _WORDS and not any(_overlap(gram, word) for word in words):
                words.append(gram)
        return "·".join(filter(None, [place, "、".join(words)]))

    def _trend(self, members: Sequence[int]) -> tuple[tuple[int, ...], str]:
        if self._until is None:
            return (0,) * WEEKS, "steady"
        heard: list[set[str]] = [set() for _ in range(WEEKS)]
        recent: set[str] = set()
        before: set[str] = set()
        earliest = self._until
        for index in members:
            message = self._messages[index]
            if message.at is None:
                continue
            ago = (self._until - message.at.date()).days
            earliest = min(earliest, message.at.date())
            if ago // 7 < WEEKS:
                heard[WEEKS - 1 - ago // 7].add(message.voice)
            if ago < RECENT:
                recent.add(message.voice)
            elif ago < 2 * RECENT:
                before.add(message.voice)
        return tuple(len(week) for week in heard), direction(len(recent), len(before), self._until - earliest)


def direction(recent: int, before: int, age: timedelta) -> str:
    """new, rising, steady, falling or over: what the last `RECENT` days heard against as many before, of a matter first heard
    `age` ago."""
    if not recent:
        return "falling" if before else "over"
    if age < timedelta(days=RECENT):
        return "new"
    if recent >= SEEN and recent >= RISING * before:
        return "rising"
    return "falling" if before >= SEEN and before >= RISING * recent else "steady"


def _grams(title: str, longest: int) -> set[str]:
    """Runs of two to `longest` Chinese characters, without the words of asking."""
    return {run[start:end] for run in _runs(title) for start, until in enumerate(_free(run))
            for end in range(start + 2, min(start + longest, until) + 1)}


def _free(run: str) -> list[int]:
    """For each place in a run how far one may go from there before a word of asking is complete."""
    until = [len(run)] * len(run)
    for word in _NOT_WORDS:
        start = run.find(word)
        while start >= 0:
            until[start] = min(until[start], start + len(word) - 1)
            start = run.find(word, start + 1)
    for start in range(len(run) - 2, -1, -1):
        until[start] = min(until[start], until[start + 1])
    return until


def _runs(title: str) -> list[str]:
    return "".join(char if "\u4e00" <= char <= "\u9fff" and char not in "的了吗呢吧在是有被请将和与及对何市区县" else " "
                   for char in title).split()


def _overlap(one: str, other: str) -> bool:
    """Whether they share two characters in a row."""
    return any(one[start:start + 2] in other for start in range(len(one) - 1))
