"""The parts of the command `triage`, one module each: `HELP`, `add(parser)`, `run(options, out)`.

What works on files alone is named in `cli.TRIAGE_ON_FILES`.
"""

from __future__ import annotations

from argparse import ArgumentParser
from importlib import import_module
from typing import Any, Final, Protocol

from django.core.management.base import OutputWrapper

PARTS: Final[tuple[str, ...]] = ("train", "eval", "ablate", "hot", "measure", "measure-pairs", "measure-leaves",
                                "learn", "keep", "use", "models")


class Part(Protocol):
    HELP: str

    def add(self, parser: ArgumentParser) -> None: ...

    def run(self, options: dict[str, Any], out: OutputWrapper) -> None: ...


def part(name: str) -> Part:
    """The module of a part; `measure-pairs` is `measure_pairs`."""
    found: Any = import_module(f"{__name__}.{name.replace('-', '_')}")
    return found  # type: ignore[no-any-return]
