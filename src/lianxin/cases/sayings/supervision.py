"""Supervision in sentences."""

from __future__ import annotations

from collections.abc import Callable

from django.utils.translation import gettext as _

from ..models import Event


def numbered(level: str, year: object, serial: object) -> str:
    """The number of a reminder, a written order or (any other level) a listed matter, as documents carry it."""
    forms = {"reminder": _("催办〔%(year)s〕%(serial)s 号"), "written": _("督办〔%(year)s〕%(serial)s 号")}
    return forms.get(level, _("挂牌督办〔%(year)s〕%(serial)s 号")) % {"year": year, "serial": serial}


def number_of(event: Event) -> str:
    """The number of an order or listing as an event carries it."""
    return numbered(*(str(event.data.get(name, "")) for name in ("level", "year", "serial")))


INSIDE: dict[str, Callable[[Event, str], str]] = {
    "urge": lambda event, by: _("%(by)s催办（%(number)s）：") % {"by": by, "number": number_of(event)},
    "supervise": lambda event, by: _("%(by)s督办（%(number)s），须书面答复：") % {"by": by, "number": number_of(event)},
    "answer_supervision": lambda event, by: _("%(by)s答复%(number)s：") % {"by": by, "number": number_of(event)},
    "accept_supervision_answer": lambda event, by: _("%(by)s认可答复，解除%(number)s。") % {"by": by, "number": number_of(event)},
    "refuse_supervision_answer": lambda event, by: _("%(by)s不认可答复，要求重新答复%(number)s：") % {
        "by": by, "number": number_of(event)},
    "list_supervision": lambda event, by: _("列入%s。") % number_of(event),
    "delist_supervision": lambda event, by: _("%s已摘牌。") % number_of(event),
}
OUTSIDE: dict[str, Callable[[Event, str], str]] = {
    "urge": lambda event, by: _("热线催了办理单位。"),
    "supervise": lambda event, by: _("热线已督办，办理单位须写明为什么还没办好、什么时候办好。"),
    "accept_supervision_answer": lambda event, by: _("督办已解除。"),
    "list_supervision": lambda event, by: _("这件事已挂牌督办，由谁负责、办到什么程度才算完，都公开在“挂牌督办”栏目里。"),
    "delist_supervision": lambda event, by: _("挂牌督办的事项已核实办好，摘牌了。"),
}
