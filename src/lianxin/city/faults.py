"""What is wrong with a city's files: every fault, not just the first."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from lianxin.kernel.errors import Invalid


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One fault. `line` counts from 1; 0 means the file as a whole."""

    file: str
    line: int
    reason: str

    def __str__(self) -> str:
        where = _("%(file)s 第 %(line)s 行") % {"file": self.file, "line": self.line} if self.line else self.file
        return _("%(where)s：%(reason)s") % {"where": where, "reason": self.reason}


@dataclass(slots=True)
class Faults:
    """Collects faults while the files are read; `found` is in the order of files and lines."""

    _rows: list[Fault] = field(default_factory=list)

    def add(self, file: str, line: int, reason: str) -> None:
        fault = Fault(file, line, str(reason))
        if fault not in self._rows:
            self._rows.append(fault)

    @property
    def found(self) -> list[Fault]:
        return sorted(self._rows)

    def __len__(self) -> int:
        return len(self._rows)


class BadCity(Invalid):
    """The files hold faults; nothing was changed."""

    default_code = "bad_city"

    def __init__(self, faults: list[Fault]) -> None:
        self.faults = faults
        super().__init__(_("城市资料有 %s 处错误，没有改动数据库。") % len(faults))
