"""The parts of the bench, in the order in which they are measured: one module each, with a function `bench(run)`.

To add one: write the module, name it here, and say in docs/reference/bench.md what it measures.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    from .city import BenchCity
    from .results import Row

# Name on the command line and module. Those that look at the cases of many sizes come first: what is filled only grows.
# `create` and `import` begin with an empty table, so what wants many cases stands before them.
MODULES = {
    "queries": "endpoints", "lists": "lists", "reports": "reports", "public": "public", "open311": "open311",
    "phone": "phone", "tiles": "tiles", "sweep": "sweep",
    "worktime": "worktime", "reading": "reading",
    "create": "create", "field": "field", "import": "importing", "linkage": "linkage",
}
# The order in the table, by `Row.part`; a module may fill more than one part.
SHOWN = ("create", "field", "linkage", "lists", "search", "import", "queries", "reports", "public", "open311", "phone", "tiles", "sweep",
         "worktime", "reading")


@dataclass(slots=True)
class Run:
    """What a part is given: the city, how thorough to be, and the cases.

    `sizes` are numbers of cases, smallest first; `seconds` is the length of one load run; `quick` asks only whether
    everything works. `have` cases are there now.
    """

    city: BenchCity
    sizes: list[int]
    seconds: float
    quick: bool
    tell: Callable[[str], None]
    have: int = field(default=0)

    @property
    def workers(self) -> int:
        """Processes of a web server under load."""
        return 1 if self.quick else 2

    def grow(self, want: int) -> None:
        """At least `want` cases, with their assignments, clocks and events, and fresh statistics."""
        from . import fill

        if want > self.have:
            self.tell(f"filling to {want:,} cases")
            fill.grow(self.city, have=self.have, want=want)
            self.have = want

    def fresh(self, want: int) -> None:
        """Just `want` cases, whatever was there before."""
        from . import fill

        fill.empty()
        self.have = 0
        self.grow(want)


class _Module(Protocol):
    def bench(self, run: Run) -> list[Row]: ...


def measure(part: str, run: Run) -> list[Row]:
    """The lines of one part. Raises KeyError for a part that is not there."""
    module = cast("_Module", import_module(f"lianxin.bench.{MODULES[part]}"))
    return module.bench(run)
