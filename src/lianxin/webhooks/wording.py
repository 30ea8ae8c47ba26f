"""How a public record is said: one sentence for a mail, a feed, a notification. The language is the reader's."""

from __future__ import annotations

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from lianxin.publishing.models import Record


def base() -> str:
    """This site's own address, without a slash at its end; empty when no setting says it."""
    return str(settings.LIANXIN_PUBLIC_URL)


def link(record: Record, root: str = "") -> str:
    return f"{root or base()}/public/{record.said_number}/"


def place(record: Record) -> str:
    """`岳阳楼区 › 五里牌街道`, as far as the record says where."""
    parts = [area.said for area in (record.county, record.area) if area is not None]
    return " › ".join(dict.fromkeys(parts)) or _("全市")


def headline(record: Record) -> str:
    """`路灯不亮（岳阳楼区）`: cleared words, or what it is about and where."""
    topic = record.title or (record.category.said if record.category is not None else _("其他事项"))
    return pgettext("news", "%(topic)s（%(place)s）") % {"topic": topic, "place": place(record)}


def stage(record: Record, code: str = "") -> str:
    """Where it stands, in a sentence."""
    unit = record.unit.said if record.unit is not None else ""
    said = {
        "received": _("已收到。"), "handed_over": _("已移交其他部门办理。"), "answered": _("已答复，正在回访。"),
        "closed": _("已办结。"), "declined": _("不属于受理范围，已告知该找哪里。"),
        "with_unit": _("%s在办。") % unit if unit else _("承办单位在办。"),
    }
    return said[code or record.stage]


def scope(area: str, category: str) -> str:
    """`全市 · 路灯`: what somebody follows."""
    return f"{area or _('全市')} · {category or _('所有事项')}"
