"""What one report is made from: its figures, the hot categories, and the names of what it is about."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TypeVar

from django.utils.translation import gettext_lazy as _

from lianxin.cases.models import Category
from lianxin.kernel.clock import now
from lianxin.kernel.errors import DomainError, Invalid
from lianxin.kernel.language import named
from lianxin.organisations.models import Unit
from lianxin.places.models import Area, City

from .. import assemble
from ..engines import EngineName, chosen
from ..figures import Period, PeriodKind, Report, Scope

log = logging.getLogger(__name__)
HOT = 10
T = TypeVar("T")


class FiguresFailed(DomainError):
    """The engine that counts could not: the log says why."""

    status = 503
    default_code = "figures_failed"
    default_message = _("统计暂时算不出来，工单不受影响。请过几分钟再试；还不行，请系统管理员看服务日志。")


@dataclass(frozen=True, slots=True)
class Asked:
    """What a person asked a report about: a period, and codes it is narrowed to."""

    period: Period
    unit: str = ""
    county: str = ""
    category: str = ""

    @property
    def codes(self) -> tuple[str, ...]:
        return tuple(code for code in (self.unit, self.county, self.category) if code)

    @property
    def query(self) -> dict[str, str]:
        held = {"period": self.period.code, "unit": self.unit, "county": self.county, "category": self.category}
        return {name: value for name, value in held.items() if value}


@dataclass(frozen=True, slots=True)
class Material:
    """Everything a document is made of. `names` say what the report is narrowed to, in the reader's language."""

    asked: Asked
    report: Report
    city: str
    names: tuple[str, ...]
    engine: str


def guarded(count: Callable[[], T]) -> T:
    """What `count` answers. Raises FiguresFailed for whatever goes wrong in an engine, and DomainErrors as they are."""
    try:
        return count()
    except DomainError:
        raise
    except Exception as error:  # an engine's own errors are of any kind
        log.exception("figures could not be counted")
        raise FiguresFailed from error


def begun(period: Period) -> None:
    """Raises Invalid for a period that has not begun: there is nothing to count."""
    if period.starts_at > now():
        raise Invalid(_("这个统计期还没有开始。"), code="period_ahead")


def gather(asked: Asked, *, using: EngineName | None = None) -> Material:
    """All of it, counted now. Raises Invalid for a period that has not begun, NotFound for unknown codes, FiguresFailed."""
    name = using or chosen()
    begun(asked.period)
    scope = assemble.scope_of(unit=asked.unit, county=asked.county, category=asked.category)
    report = guarded(lambda: assemble.report(asked.period, scope, using=name, hot=HOT))
    city = City.objects.values_list("name", "name_en").first() or ("", "")
    return Material(asked, report, named(*city), _names(scope), name)


def _names(scope: Scope) -> tuple[str, ...]:
    wanted: list[tuple[type[Unit] | type[Area] | type[Category], int | None]] = [
        (Unit, scope.unit), (Area, scope.county), (Category, scope.category)]
    rows = [model._default_manager.values_list("name", "name_en").get(pk=pk) for model, pk in wanted if pk is not None]
    return tuple(named(*row) for row in rows)


def last_week(today: date) -> Period:
    return Period.week(today - timedelta(days=7))


def last_month(today: date) -> Period:
    return Period.month(today.year, today.month).previous()


def last_of(kind: PeriodKind, today: date) -> Period:
    """The last whole period of a kind before today; for a custom one the last seven days."""
    if kind is PeriodKind.WEEK:
        return last_week(today)
    if kind is PeriodKind.MONTH:
        return last_month(today)
    if kind is PeriodKind.QUARTER:
        return Period.of(f"{today.year}-Q{(today.month + 2) // 3}").previous()
    if kind is PeriodKind.YEAR:
        return Period.of(str(today.year - 1))
    return Period(today - timedelta(days=7), today)
