"""Clusters from scores of pairs: average linkage over the pairs there are, with old clusters left as they are.

Two groups join when the mean score over all pairs between them, made up for how loose each of them already is, reaches
the threshold: mean / (looseness of one × looseness of the other) ** (EASE / 2), a group's looseness being the mean score
of all ordered pairs inside it, a message with itself counting 1. With EASE 0 that is average linkage (UPGMA; Sokal & Michener 1958).
Pairs without a score count as 0. Two groups that together would be a theme and not a matter (`themes`) do not join.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from typing import Final

from .alike import Pairs

THRESHOLD: Final = 0.12
EASE: Final = 0.3


class Linkage:
    """Groups of `number` messages; `held` are clusters found before, as lists of places in the list of messages.

    A held cluster of two or more stays whole, and two such never join; two held single messages join only by way of a
    new one.
    """

    def __init__(self, number: int, pairs: Pairs, held: Sequence[Sequence[int]] = ()) -> None:
        self.members: dict[int, list[int]] = {}
        group = [-1] * number
        for cluster in held:
            self.members[cluster[0]] = list(cluster)
            for index in cluster:
                group[index] = cluster[0]
        self._settled = {cluster[0] for cluster in held if len(cluster) > 1}
        self._old = {cluster[0] for cluster in held}
        for index in range(number):
            if group[index] < 0:
                group[index] = index
                self.members[index] = [index]
        self._inside = {key: float(len(members)) for key, members in self.members.items()}
        self._near: dict[int, dict[int, float]] = {key: {} for key in self.members}
        for one, other, score in zip(pairs.left.tolist(), pairs.right.tolist(), pairs.score.tolist(), strict=True):
            self._add(group[one], group[other], score)
        self._heap: list[tuple[float, int, int, int, int]] = []
        self._themes = pairs.themes

    def _add(self, one: int, other: int, score: float) -> None:
        if one == other:
            self._inside[one] += 2 * score
            return
        self._near[one][other] = self._near[one].get(other, 0.0) + score
        self._near[other][one] = self._near[other].get(one, 0.0) + score

    def clusters(self) -> list[list[int]]:
        """All groups, single messages too, each in rising order; by their first message."""
        for one, near in self._near.items():
            for other in near:
                if one < other:
                    self._offer(one, other)
        while self._heap:
            _, one, other, size, other_size = heapq.heappop(self._heap)
            if len(self.members.get(one, ())) == size and len(self.members.get(other, ())) == other_size:
                self._join(one, other)
        return sorted(sorted(members) for members in self.members.values())

    def _offer(self, one: int, other: int) -> None:
        if self._kept_apart(one, other):
            return
        size, other_size = len(self.members[one]), len(self.members[other])
        loose = self._inside[one] / size ** 2 * self._inside[other] / other_size ** 2
        strength = self._near[one][other] / (size * other_size) / loose ** (EASE / 2)
        if strength >= THRESHOLD:
            heapq.heappush(self._heap, (-strength, one, other, size, other_size))

    def _kept_apart(self, one: int, other: int) -> bool:
        if one in self._settled and other in self._settled:
            return True
        return one in self._old and other in self._old and len(self.members[one]) == 1 == len(self.members[other])

    def _theme(self, one: int, other: int) -> bool:
        members = self.members[one] + self.members[other]
        pairs = len(members) * (len(members) - 1)
        inside = self._inside[one] + self._inside[other] + 2 * self._near[one][other] - len(members)
        return self._themes is not None and self._themes.theme(members, inside / pairs)

    def _join(self, one: int, other: int) -> None:
        if self._kept_apart(one, other) or self._theme(one, other):
            return
        if len(self._near[one]) < len(self._near[other]):
            one, other = other, one
        self._inside[one] += self._inside.pop(other) + 2 * self._near[one].pop(other)
        self.members[one] += self.members.pop(other)
        for near, score in self._near.pop(other).items():
            if near != one:
                del self._near[near][other]
                self._near[one][near] = self._near[one].get(near, 0.0) + score
        if other in self._settled:
            self._settled.add(one)
        for near, score in self._near[one].items():
            self._near[near][one] = score
            self._offer(one, near)
