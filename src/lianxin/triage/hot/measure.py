"""How well clusters agree with hand-made topics: pairs of messages, with a bootstrap over the topics.

A pair is right when both say that it is one matter. Precision, recall and F1 over pairs (Manning, Raghavan, Schütze,
Introduction to Information Retrieval, 16.3) give most weight to large topics; B-cubed (Bagga & Baldwin 1998) gives each
message the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from django.utils.translation import gettext as _

from lianxin.cases.records import rows
from lianxin.kernel.errors import Invalid

DRAWS: Final = 1000


@dataclass(frozen=True, slots=True)
class Agreement:
    """Shares in 0…1; `interval` is the middle 95 % of F1 when topics are drawn anew."""

    messages: int
    topics: int
    singles: int
    precision: float
    recall: float
    f1: float
    interval: tuple[float, float]
    b_cubed: float

    def as_json(self) -> dict[str, Any]:
        return {
            "messages": self.messages, "topics": self.topics, "singles": self.singles,
            "precision": round(self.precision, 4), "recall": round(self.recall, 4), "f1": round(self.f1, 4),
            "f1_interval_95": [round(end, 4) for end in self.interval], "b_cubed_f1": round(self.b_cubed, 4),
        }


def topics(path: Path) -> dict[str, dict[str, str]]:
    """Per half (column `half`, or `all`): topic of each id. Raises Invalid: not to be read, a column missing, an id given twice."""
    found: dict[str, dict[str, str]] = {}
    seen: set[str] = set()
    for _line, row in rows(path, ("id", "topic")):
        if row["id"] in seen:
            raise Invalid(_("%(file)s 中编号 %(id)s 重复。") % {"file": path.name, "id": row["id"]})
        seen.add(row["id"])
        found.setdefault(row.get("half") or "all", {})[row["id"]] = row["topic"]
    return found


def agreement(clusters: Iterable[Iterable[str]], topic: Mapping[str, str], *, draws: int = DRAWS) -> Agreement:
    """Clusters of ids against the topic of each labelled id; ids without a topic do not count, ids in no cluster are alone."""
    cluster = {key: number for number, members in enumerate(clusters) for key in members}
    table = Counter((topic[key], cluster.get(key, f"alone {key}")) for key in topic)
    sizes = Counter(topic.values())
    both, said, meant, counts = _pairs(table, sizes)
    source = np.random.default_rng(0)
    draw: Any = source.multinomial(len(sizes), [1 / len(sizes)] * len(sizes), size=draws) if sizes else []
    drawn = sorted(_f1(weight @ both, weight @ both + _crossing(weight, counts), weight @ meant) for weight in draw)
    precision, recall = _share(both.sum(), said), _share(both.sum(), meant.sum())
    return Agreement(
        len(topic), sum(size > 1 for size in sizes.values()), sum(size == 1 for size in sizes.values()),
        precision, recall, _f1(both.sum(), said, meant.sum()),
        (drawn[int(0.025 * draws)], drawn[int(0.975 * draws)]) if drawn else (0.0, 0.0), _b_cubed(table, sizes),
    )


def _pairs(table: Counter[tuple[str, Any]], sizes: Counter[str]) -> tuple[Any, float, Any, Any]:
    """Per topic the pairs that are right and those there are; the pairs the clusters make; messages per topic × cluster."""
    from scipy.sparse import csr_matrix

    lines = {name: number for number, name in enumerate(sizes)}
    columns = {name: number for number, name in enumerate(dict.fromkeys(cluster for _topic, cluster in table))}
    counts = csr_matrix(
        ([float(count) for count in table.values()],
         ([lines[name] for name, _cluster in table], [columns[name] for _topic, name in table])), shape=(len(lines), len(columns)))
    both = np.asarray((counts.multiply(counts) - counts).sum(axis=1)).ravel() / 2
    meant = np.array([size * (size - 1) / 2 for size in sizes.values()])
    every = np.asarray(counts.sum(axis=0)).ravel()
    return both, float((every * (every - 1) / 2).sum()), meant, counts


def _crossing(weight: Any, counts: Any) -> float:
    """Pairs of two topics in one cluster, topics drawn `weight` times."""
    weighted = counts.multiply(weight[:, None]).tocsr()
    every = np.asarray(weighted.sum(axis=0)).ravel()
    return float((every ** 2 - np.asarray(weighted.multiply(weighted).sum(axis=0)).ravel()).sum() / 2)


def _b_cubed(table: Counter[tuple[str, Any]], sizes: Counter[str]) -> float:
    if not sizes:
        return 0.0
    every: Counter[Any] = Counter()
    for (_topic, cluster), count in table.items():
        every[cluster] += count
    total = sum(sizes.values())
    precision = sum(count * count / every[cluster] for (_topic, cluster), count in table.items()) / total
    recall = sum(count * count / sizes[name] for (name, _cluster), count in table.items()) / total
    return 2 * precision * recall / (precision + recall)


def _share(part: float, whole: float) -> float:
    return float(part / whole) if whole else 0.0


def _f1(both: float, said: float, meant: float) -> float:
    return float(2 * both / (said + meant)) if said + meant else 0.0
