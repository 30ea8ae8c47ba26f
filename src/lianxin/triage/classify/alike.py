"""Messages that say the same in nearly the same words: they stand on one side of every split."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from .features import Message, counted

SIZE: Final = 4  # characters in a shingle
ALIKE: Final = 0.5  # cosine of the sets of shingles from which two messages count as one text
COMMON: Final = 50  # a shingle in more messages than these says nothing about copying


def groups(messages: Sequence[Message]) -> npt.NDArray[np.intp]:
    """For each message the number of its group. Copies, and copies of copies, share one."""
    count = len(messages)
    found = [counted(one.read, (SIZE,))[0] for one in messages]
    same: dict[bytes, int] = {}
    first = np.array([same.setdefault(one.read.tobytes(), place) for place, one in enumerate(messages)], dtype=np.intp)
    single = np.flatnonzero(first == np.arange(count))
    sizes = np.array([max(len(found[place]), 1) for place in single], dtype=np.float64)
    row = np.repeat(np.arange(len(single)), [len(found[place]) for place in single])
    every = np.concatenate([found[place] for place in single]) if count else np.zeros(0, dtype=np.uint64)
    _keys, column, spread = np.unique(every, return_inverse=True, return_counts=True)
    rare = (spread[column] > 1) & (spread[column] <= COMMON)
    held = sparse.csr_matrix((np.ones(int(rare.sum())), (row[rare], column[rare])), shape=(len(single), len(spread)))
    shared = (held @ held.T).tocoo()
    close = shared.data >= ALIKE * np.sqrt(sizes[shared.row] * sizes[shared.col])
    links = sparse.coo_matrix(
        (np.ones(int(close.sum()) + count), (np.concatenate([single[shared.row[close]], np.arange(count)]),
                                             np.concatenate([single[shared.col[close]], first]))), shape=(count, count))
    _count, number = connected_components(links, directed=False)
    return np.asarray(number, dtype=np.intp)


def folds(group: npt.NDArray[np.intp], count: int, seed: int) -> npt.NDArray[np.intp]:
    """For each message one of `count` folds, by its group."""
    drawn = np.random.default_rng(seed).permutation(int(group.max()) + 1) % count
    return np.asarray(drawn[group], dtype=np.intp)
