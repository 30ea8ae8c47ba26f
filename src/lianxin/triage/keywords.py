"""Category and urgency from words, by the city's own keyword list: simple, quick, and it shows its reasons."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from math import exp

from lianxin.cases.models import Category
from lianxin.cases.reference import Reference, reference

# Words of danger, by what they call for. A miss is worse than a false alarm.
DANGER: dict[str, tuple[str, ...]] = {
    "119": ("着火", "起火", "失火", "火灾", "冒烟", "烧起来", "爆炸", "燃气泄漏", "煤气泄漏", "天然气泄漏", "煤气味", "燃气味", "漏气",
            "被困", "困在", "困住", "坍塌", "塌了", "塌方", "触电"),
    "120": ("受伤", "流血", "昏迷", "晕倒", "没有呼吸", "中毒", "摔伤", "砸伤", "烧伤", "溺水", "落水", "心脏病发", "抽搐", "要生了"),
    "110": ("自杀", "跳楼", "轻生", "不想活", "割腕", "打架", "打人", "持刀", "砍人", "抢劫", "绑架", "家暴", "殴打", "小孩一个人", "孩子一个人",
            "孩子丢了", "小孩走失", "失踪", "威胁要杀", "酒驾", "撞人", "车祸"),
}
_PLACE_LIMIT = 12_000


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One category with a share of belief in 0…1 and the words that made it."""

    code: str
    name: str
    path: str
    score: float
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Alarm:
    """An emergency service the words call for, and the words."""

    service: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Rules:
    marker: tuple[object, ...]
    pattern: re.Pattern[str] | None
    weights: dict[str, tuple[tuple[int, float], ...]]


_lock = threading.Lock()
_held: _Rules | None = None


def _rules(held: Reference) -> _Rules:
    global _held
    if _held is not None and _held.marker == held.marker:
        return _held
    with _lock:
        weights: dict[str, list[tuple[int, float]]] = {}
        for pk, words in Category.objects.filter(is_leaf=True, active=True).values_list("id", "keywords"):
            for word, weight in words.items():
                weights.setdefault(word.lower(), []).append((pk, float(weight)))
        longest_first = sorted(weights, key=len, reverse=True)
        # A lookahead finds overlapping words: 路灯 and 灯不亮 in 路灯不亮.
        pattern = re.compile("(?=(" + "|".join(map(re.escape, longest_first)) + "))") if weights else None
        _held = _Rules(held.marker, pattern, {word: tuple(rows) for word, rows in weights.items()})
        return _held


def suggest(text: str, *, limit: int = 3) -> list[Suggestion]:
    """The likeliest leaf categories; empty when no keyword of the city's list is in the text."""
    held = reference()
    rules = _rules(held)
    if rules.pattern is None:
        return []
    found = {match.group(1) for match in rules.pattern.finditer(text[:_PLACE_LIMIT].lower())}
    scores: dict[int, float] = {}
    reasons: dict[int, list[str]] = {}
    for word in found:
        for pk, weight in rules.weights[word]:
            scores[pk] = scores.get(pk, 0.0) + weight * (1 + 0.25 * min(len(word) - 2, 4))
            reasons.setdefault(pk, []).append(word)
    ranked = sorted(scores.items(), key=lambda item: (-item[1], held.nodes[item[0]].code))[: max(limit, 5)]
    total = sum(exp(score) for _pk, score in ranked) + 1.0
    result = []
    for pk, score in ranked[:limit]:
        node = held.nodes[pk]
        path = " › ".join(held.nodes[i].name for i in reversed(node.lineage))
        words = tuple(sorted(reasons[pk], key=len, reverse=True)[:5])
        result.append(Suggestion(node.code, node.name, path, exp(score) / total, words))
    return result


def alarms(text: str) -> list[Alarm]:
    """The emergency services the words call for, most words first."""
    found = [
        Alarm(service, tuple(word for word in words if word in text)) for service, words in DANGER.items()
    ]
    return sorted((alarm for alarm in found if alarm.words), key=lambda alarm: -len(alarm.words))
