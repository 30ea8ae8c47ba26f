"""Labelled messages from a file: title, detail, category, and where there is one, the part they belong to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from django.utils.translation import gettext as _

from lianxin.cases.records import rows
from lianxin.kernel.errors import Invalid

COLUMNS: Final = ("title", "detail", "category")
TRAIN: Final = "train"
VALID: Final = "valid"
LABEL: Final = 200  # characters of a label


@dataclass(frozen=True, slots=True, order=True)
class Example:
    """One labelled message. `part` is empty where the file has no such column."""

    title: str
    detail: str
    label: str
    part: str = ""


@dataclass(frozen=True, slots=True)
class Labelled:
    """What a file holds: its messages, and how many rows were left out for want of words or of a category."""

    examples: tuple[Example, ...]
    left_out: int
    parted: bool

    def of(self, part: str) -> tuple[Example, ...]:
        return tuple(one for one in self.examples if one.part == part)


def labelled(path: Path, *, encoding: str = "utf-8-sig") -> Labelled:
    """Read a file. Raises Invalid, with the line, for what cannot be read; a row without words or without a category is
    left out and counted."""
    examples, left_out, parted = [], 0, False
    for line, said in rows(path, COLUMNS, encoding=encoding):
        parted = parted or "part" in said
        one = Example(said["title"].strip(), said["detail"].strip(), said["category"].strip(), said.get("part", "").strip())
        if not one.label or not (one.title or one.detail):
            left_out += 1
        elif len(one.label) > LABEL:
            raise Invalid(_("%(path)s 第 %(line)d 行：类别超过 %(most)d 个字。") % {"path": path, "line": line, "most": LABEL})
        else:
            examples.append(one)
    if not examples:
        raise Invalid(_("%s 里没有一条既有文字又有类别的诉求。") % path)
    return Labelled(tuple(examples), left_out, parted)


def classes(examples: Sequence[Example]) -> tuple[str, ...]:
    """The labels, in order. Raises Invalid when there is one only: then there is nothing to tell apart."""
    found = tuple(sorted({one.label for one in examples}))
    if len(found) < 2:
        raise Invalid(_("只有“%s”一个类别，没有可以区分的。至少要有两个类别。") % (found[0] if found else ""))
    return found


def numbers(examples: Sequence[Example], labels: Sequence[str]) -> npt.NDArray[np.intp]:
    """For each message the place of its label among `labels`."""
    place = {label: at for at, label in enumerate(labels)}
    return np.array([place[one.label] for one in examples], dtype=np.intp)
