"""A mapping to begin with: which of our fields a file's columns look like, and which of our codes its words look like.

The names are those that exports of hotline systems use (examples/mappings), and our own. Nothing is decided here: what is guessed
is shown, and changed by whoever imports.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

from lianxin.cases.mapping import FIELDS, TIMES
from lianxin.cases.models import Category, Channel, Kind, Urgency
from lianxin.cases.previewing import FieldSeen
from lianxin.places.models import Area

# Each field's name on the page, in the order of the form.
SAID: Final[dict[str, str | Promise]] = {
    "source_id": _("来源编号"), "words": _("诉求内容"), "title": _("标题"), "registered_at": _("登记时间"), "category": _("事项"),
    "area": _("区域"), "place_text": _("地址"), "kind": _("类型"), "urgency": _("紧急程度"), "channel": _("渠道"), "name": _("姓名"),
    "phone": _("电话"), "address": _("住址"), "email": _("邮箱"), "target_at": _("办理期限"), "closed_at": _("办结时间"),
    "closing_note": _("办结意见"), "lon": _("经度"), "lat": _("纬度"), "coordinate_system": _("坐标系"), "language": _("语言"),
}
# Names of columns as others write them, likeliest first.
NAMES: Final[dict[str, tuple[str, ...]]] = {
    "source_id": ("工单编号", "工单号", "案件编号", "案卷编号", "编号", "id", "case_id", "service_request_id"),
    "words": ("诉求内容", "问题描述", "内容", "描述", "来电内容", "投诉内容", "description"),
    "title": ("诉求标题", "工单标题", "标题", "主题", "title", "subject"),
    "registered_at": ("登记时间", "来电时间", "受理时间", "创建时间", "上报时间", "反映时间", "诉求时间", "提交时间", "时间",
                      "requested_datetime", "open_dt"),
    "category": ("诉求分类", "事项", "事项分类", "分类", "问题类型", "案件类别", "category"),
    "area": ("所属区域", "区域", "行政区划", "县市区", "街道", "社区"),
    "place_text": ("事发地址", "地址", "地点", "位置", "事发地点", "address_string", "location"),
    "kind": ("诉求类型", "工单类型", "类型", "kind"),
    "urgency": ("紧急程度", "优先级", "urgency", "priority"),
    "channel": ("诉求来源", "来源", "渠道", "source", "channel"),
    "name": ("诉求人", "诉求人姓名", "姓名", "来电人", "name"),
    "phone": ("联系电话", "电话", "来电号码", "手机", "手机号", "phone"),
    "address": ("住址", "诉求人地址", "联系地址"),
    "email": ("邮箱", "电子邮箱", "email"),
    "target_at": ("办理时限", "办理期限", "截止时间", "到期时间", "target_dt", "expected_datetime"),
    "closed_at": ("办结时间", "归档时间", "结案时间", "closed_dt"),
    "closing_note": ("办结意见", "办理结果", "处理结果", "答复内容", "status_notes"),
    "lon": ("经度", "lon", "lng", "longitude", "long"), "lat": ("纬度", "lat", "latitude"),
    "coordinate_system": ("坐标系",), "language": ("语言",),
}
CODED: Final = ("kind", "urgency", "channel", "category", "area")
FORMATS: Final = ("iso", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M", "%Y年%m月%d日 %H:%M:%S",
                  "%Y年%m月%d日 %H:%M", "%Y-%m-%d", "%Y/%m/%d")
_ALSO: Final[dict[str, dict[str, str]]] = {
    "urgency": {"普通": Urgency.NORMAL.value, "一般": Urgency.NORMAL.value, "特急": Urgency.URGENT.value, "加急": Urgency.URGENT.value},
    "kind": {"表扬": Kind.SUGGESTION.value},
    "channel": {"来电": Channel.PHONE.value, "网站": Channel.WEB.value},
}


def time_spec(columns: Sequence[str]) -> dict[str, Any]:
    """A time as the usual exports write it, of this city's time zone where it names none."""
    return {"columns": list(columns), "format": list(FORMATS), "zone": settings.TIME_ZONE}


def spec_of(field: str, columns: Sequence[str]) -> Any:
    """What a mapping says of a field that comes from columns as they are."""
    if field in TIMES:
        return time_spec(columns)
    return columns[0] if len(columns) == 1 else {"columns": list(columns)}


def guessed(columns: Sequence[str], *, system: str) -> dict[str, Any]:
    """A mapping for a file with these columns; without any (JSON Lines) for our own names. It may lack what `Mapping.of` asks for."""
    free = {name.strip().casefold(): name for name in columns}
    fields: dict[str, Any] = {}
    for field in SAID:
        found = [free.pop(name.casefold()) for name in (field, *NAMES.get(field, ())) if name.casefold() in free]
        if found:
            fields[field] = spec_of(field, found[:1])
            free.update({name.casefold(): name for name in found[1:]})
    if not columns:
        fields = {field: spec_of(field, [field]) for field in SAID if field in FIELDS}
    return {"source_system": system, "encoding": "auto", "accept": True, "outside": True, "fields": fields}


def known_words(field: str) -> dict[str, str]:
    """Our codes of a field by their names; a name that two codes have stands for none."""
    if field in ("category", "area"):
        rows: Iterable[tuple[str, str]] = (
            Category.objects.filter(active=True, is_leaf=True).values_list("name", "code") if field == "category"
            else Area.objects.filter(active=True, level__in=["county", "town", "village"]).values_list("name", "code"))
        found: dict[str, str] = {}
        twice = set()
        for name, code in rows:
            twice |= {name} if name in found else set()
            found[name] = code
        return {name: code for name, code in found.items() if name not in twice}
    with override("zh-hans"):  # as the exports write them, whatever the reader's language
        choices = {str(label): value for value, label in {"kind": Kind, "urgency": Urgency, "channel": Channel}[field].choices}
    return choices | _ALSO.get(field, {})


def values_for(seen: FieldSeen) -> dict[str, str]:
    """For the words of a field that have no place: the code whose name they are, or nothing, to be filled in."""
    known = known_words(seen.name)
    return {word: known.get(word, "") for word, _count in seen.unmapped.most_common(200)}
