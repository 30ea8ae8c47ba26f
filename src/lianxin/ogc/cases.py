"""Public cases as features: what the public record says of each, and where, as coarsely as it says so."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.db.models import Max, Min, Q, QuerySet
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from lianxin.cases.queries import cursor_of, read_cursor
from lianxin.kernel.errors import Invalid
from lianxin.publishing.models import Dated, Precision, Record, Stage
from lianxin.publishing.queries import found

from .crs import Box
from .parameters import VALUE
from .places import COLLECTIONS as PLACES
from .sources import COUNTED, Asked, Collection, Extent, Feature, Found, Property

CASE: Final = (
    Property("number", gettext_lazy("公开编号")),
    Property("case_number", gettext_lazy("工单编号（只有公开原话的才有）")),
    Property("stage", gettext_lazy("办到哪一步"), filters=True, choices=tuple(Stage.values)),
    Property("category", gettext_lazy("类别代码；查的时候包括它下面的类别"), filters=True),
    Property("category_name", gettext_lazy("类别")),
    Property("category_name_en", gettext_lazy("类别的英文")),
    Property("kind", gettext_lazy("诉求种类")),
    Property("area", gettext_lazy("区域代码；查的时候包括它下面的区域"), filters=True),
    Property("area_name", gettext_lazy("区域")),
    Property("county", gettext_lazy("县市区的代码"), filters=True),
    Property("precision", gettext_lazy("位置有多细"), choices=tuple(Precision.values)),
    Property("unit", gettext_lazy("主办单位代码")),
    Property("unit_name", gettext_lazy("主办单位")),
    Property("dated", gettext_lazy("各时间是准确时间，还是当天、当周、当月的开头"), choices=tuple(Dated.values)),
    Property("opened_at", gettext_lazy("提出时间"), format="date-time"),
    Property("due_at", gettext_lazy("应办结时间"), format="date-time"),
    Property("closed_at", gettext_lazy("办结时间"), format="date-time"),
    Property("on_time", gettext_lazy("按时办结"), kind="boolean"),
    Property("solved", gettext_lazy("反映人说解决了"), kind="boolean"),
    Property("cleared", gettext_lazy("公开原话"), kind="boolean", filters=True),
    Property("title", gettext_lazy("标题（公开原话的才有）")),
    Property("body", gettext_lazy("内容（公开原话的才有）")),
    Property("answer", gettext_lazy("答复（公开原话的才有）")),
    Property("changed_at", gettext_lazy("最近变化"), format="date-time"),
)
_INSTANT = timedelta(microseconds=1)


def _told(at: datetime | None) -> str | None:
    return None if at is None else localtime(at).isoformat()


def feature(record: Record) -> Feature:
    """A record with its category, area, county and unit at hand as a feature."""
    category, area, unit = record.category, record.area, record.unit
    return Feature(
        record.number,
        None if record.lon is None or record.lat is None else {"type": "Point", "coordinates": [record.lon, record.lat]},
        {
            "number": record.number, "case_number": record.case_number or None, "stage": record.stage,
            "category": category.code if category else None, "category_name": category.name if category else None,
            "category_name_en": (category.name_en or None) if category else None, "kind": record.kind or None,
            "area": area.code if area else None, "area_name": area.name if area else None,
            "county": record.county.code if record.county else None, "precision": record.precision,
            "unit": unit.code if unit else None, "unit_name": unit.name if unit else None, "dated": record.dated,
            "opened_at": _told(record.opened_at), "due_at": _told(record.due_at), "closed_at": _told(record.closed_at),
            "on_time": record.on_time, "solved": record.solved, "cleared": record.cleared, "title": record.title or None,
            "body": record.body or None, "answer": record.answer or None, "changed_at": _told(record.changed_at),
        }, page=f"/public/{record.number}/")


def _inside(boxes: tuple[Box, ...]) -> Q:
    """In one of the boxes, or nowhere: what has no position lies in every box."""
    fits = Q(lon__isnull=True)
    for west, south, east, north in boxes:
        fits |= Q(lon__gte=west, lon__lte=east, lat__gte=south, lat__lte=north)
    return fits


class Cases:
    """The public records, opened last first."""

    def _narrowed(self, asked: Asked) -> QuerySet[Record]:
        said = asked.filters
        narrowed = found(
            county=str(said.get("county", "")), area=str(said.get("area", "")), category=str(said.get("category", "")),
            stage=(str(said["stage"]),) if "stage" in said else (), cleared=bool(said["cleared"]) if "cleared" in said else None,
            opened=(asked.since, None if asked.until is None else asked.until + _INSTANT))
        return narrowed.filter(_inside(asked.boxes)) if asked.boxes else narrowed

    def page(self, asked: Asked) -> Found:
        narrowed = self._narrowed(asked)
        # Counted only so far: whoever wants a million of them does not need to know how many there are.
        matched = narrowed.values("pk")[: COUNTED + 1].count()
        later, order = narrowed, ("-opened_at", "number")
        if asked.after:
            at, number = _position(asked.after)
            later = narrowed.filter(Q(opened_at__lt=at) | Q(opened_at=at, number__gt=number), opened_at__lte=at)
        elif asked.before:
            at, number = _position(asked.before)
            later = narrowed.filter(Q(opened_at__gt=at) | Q(opened_at=at, number__lt=number), opened_at__gte=at)
            order = ("opened_at", "-number")
        rows = list(later.select_related("category", "area", "county", "unit").order_by(*order)[: asked.limit + 1])
        more, rows = len(rows) > asked.limit, rows[: asked.limit]
        if asked.before:
            rows.reverse()
        onward = bool(rows) and (more or bool(asked.before))
        back = bool(rows) and (bool(asked.after) or (bool(asked.before) and more))
        return Found([feature(row) for row in rows], matched if matched <= COUNTED else None,
                     after=cursor_of(rows[-1].opened_at, rows[-1].number) if onward else "",
                     before=cursor_of(rows[0].opened_at, rows[0].number) if back else "")

    def one(self, feature_id: str) -> Feature | None:
        row = Record.objects.filter(number=feature_id).select_related("category", "area", "county", "unit").first()
        return None if row is None else feature(row)

    def extent(self) -> Extent:
        """Where the city's counties lie; the first and the last record."""
        city = PLACES[0].source.extent()
        times = Record.objects.aggregate(first=Min("opened_at"), last=Max("opened_at"))
        return Extent(city.box, times["first"], times["last"])


def _position(said: str) -> tuple[datetime, str]:
    values = read_cursor(said)
    try:
        if values and len(values) == 2 and (at := datetime.fromisoformat(values[0])).tzinfo is not None:
            return at, values[1]
    except ValueError:
        pass
    raise Invalid(_("after、before 只能照 next、prev 链接里的来。"), code=VALUE)


COLLECTION: Final = Collection(
    "cases", gettext_lazy("公开的事"),
    gettext_lazy("反映过的事：类别、大致地点、办到哪一步。位置和时间按规则放宽，不是事情发生的准确地方；没有反映人的任何信息。"),
    "Point", CASE, Cases(), timed=True)
