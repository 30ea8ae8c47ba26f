"""The columns of the open data: what each is called, of what type, what it means and how it is made.

The writers, the dictionary at `/data/dictionary.json`, the portal's page and docs/reference/open-data.md are all made from here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

from .models import Dated, Precision, Stage


class Kind(StrEnum):
    """Types as the dictionary says them."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    INSTANT = "instant"


DUCKDB: Final = {Kind.TEXT: "VARCHAR", Kind.INTEGER: "BIGINT", Kind.NUMBER: "DOUBLE", Kind.BOOLEAN: "BOOLEAN", Kind.INSTANT: "TIMESTAMPTZ"}


Choices = type[models.TextChoices]


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `sql` makes it from `FROM_RECORDS` (empty in tables that are counted); `words` says what it means."""

    name: str
    type: Kind
    words: Any
    sql: str = ""
    choices: Choices | None = None


FROM_RECORDS: Final = """publishing_record r
LEFT JOIN cases_category k ON k.id = r.category_id
LEFT JOIN places_area a ON a.id = r.area_id
LEFT JOIN places_area c ON c.id = r.county_id
LEFT JOIN organisations_unit u ON u.id = r.unit_id"""
ORDER: Final = "r.opened_at, r.number"

RECORDS: Final = (
    Column("number", Kind.TEXT, _("公开编号：每件一个，不会变；它不透露工单号，也不透露先后"), "r.number"),
    Column("case_number", Kind.TEXT, _("工单号，只有经本人同意并审核公开的才有"), "nullif(r.case_number, '')"),
    Column("stage", Kind.TEXT, _("办到哪一步"), "r.stage", Stage),
    Column("dated", Kind.TEXT, _("三个时间列写的是什么：准确时间，或当天、当周（周一）、当月的开始"), "r.dated", Dated),
    Column("opened_at", Kind.INSTANT, _("登记时间，按 dated 取整"), "r.opened_at"),
    Column("due_at", Kind.INSTANT, _("应当答复的时间，按 dated 取整；分类没有写到最细时不写"), "r.due_at"),
    Column("closed_at", Kind.INSTANT, _("办结时间，按 dated 取整；没有办结的为空"), "r.closed_at"),
    Column("category", Kind.TEXT, _("分类代码；可能是大类、中类或小类，太少时为空"), "k.code"),
    Column("category_name", Kind.TEXT, _("分类名称"), "k.name"),
    Column("category_name_en", Kind.TEXT, _("分类的英文名称"), "nullif(k.name_en, '')"),
    Column("kind", Kind.TEXT, _("诉求类型：咨询、建议、求助、投诉；分类没有写到最细时不写"), "nullif(r.kind, '')"),
    Column("precision", Kind.TEXT, _("地点写到哪一级"), "r.precision", Precision),
    Column("area", Kind.TEXT, _("所示地区的代码（统计用区划代码）"), "a.code"),
    Column("area_name", Kind.TEXT, _("所示地区的名称"), "a.name"),
    Column("county", Kind.TEXT, _("所在县市区的代码；只到全市的为空"), "c.code"),
    Column("county_name", Kind.TEXT, _("所在县市区的名称"), "c.name"),
    Column("lon", Kind.NUMBER, _("所示地区（或约 75 米格子中心）的经度，WGS-84；不是当事人的位置"), "r.lon"),
    Column("lat", Kind.NUMBER, _("所示地区（或约 75 米格子中心）的纬度，WGS-84；不是当事人的位置"), "r.lat"),
    Column("unit", Kind.TEXT, _("主办单位代码；会透露更细的地点或分类时不写"), "u.code"),
    Column("unit_name", Kind.TEXT, _("主办单位名称"), "u.name"),
    Column("on_time", Kind.BOOLEAN, _("是否按时答复；还没有答复的为空"), "r.on_time"),
    Column("solved", Kind.BOOLEAN, _("诉求人最后说解决了没有；没有问到的为空"), "r.solved"),
    Column("cleared", Kind.BOOLEAN, _("文字是否经本人同意并审核公开"), "r.cleared"),
    Column("title", Kind.TEXT, _("公开的标题；没有审核公开的为空"), "nullif(r.title, '')"),
    Column("body", Kind.TEXT, _("公开的内容；没有审核公开的为空"), "nullif(r.body, '')"),
    Column("answer", Kind.TEXT, _("公开的答复，隐去了个人信息；还没有答复或没有审核公开的为空"), "nullif(r.answer, '')"),
    Column("changed_at", Kind.INSTANT, _("这条记录最近变动的时间；没有审核公开的取整到小时"), "r.changed_at"),
)

COUNTS: Final = (
    Column("month", Kind.TEXT, _("登记的月份，年-月；只有过完的月份")),
    Column("county", Kind.TEXT, _("县市区代码；全市合计为空，地点不明的写 -")),
    Column("county_name", Kind.TEXT, _("县市区名称")),
    Column("category", Kind.TEXT, _("大类代码；各类合计为空，没有分类的写 -")),
    Column("category_name", Kind.TEXT, _("大类名称")),
    Column("registered", Kind.INTEGER, _("登记的件数（不含撤回的和并入别件的）；不公开的为空")),
    Column("withheld", Kind.BOOLEAN, _("件数是否不公开：1 到 4 件的，以及公开了就能推算出它们的")),
)
TABLES: Final = {"records": RECORDS, "counts": COUNTS}


def dictionary() -> dict[str, Any]:
    """The dictionary as it is published: every column of every table with its meaning and its values, in Chinese and English."""
    def both(words: Any) -> dict[str, str]:
        made = {}
        for language, code in (("zh-Hans", "zh-hans"), ("en", "en")):
            with override(code):
                made[language] = str(words)
        return made

    return {"tables": [{"name": name, "columns": [
        {"name": column.name, "type": str(column.type), "meaning": both(column.words)}
        | ({"values": {str(choice.value): both(choice.label) for choice in column.choices}} if column.choices else {})
        for column in columns]} for name, columns in TABLES.items()]}


def names(columns: Iterable[Column]) -> list[str]:
    return [column.name for column in columns]
