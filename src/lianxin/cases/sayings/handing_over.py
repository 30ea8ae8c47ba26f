"""What is said of handing over to the desk of another service. The reporter never reads why it was refused or given back."""

from __future__ import annotations

from collections.abc import Callable

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from lianxin.kernel.language import named

from ..models import Case, Event, State


def partner_of(event: Event) -> str:
    """The other desk's name as the event keeps it, in the reader's language."""
    data = event.data
    name = named(str(data.get("partner_name", "")), str(data.get("partner_name_en", "")))
    return name or str(data.get("partner", "")) or pgettext("in a sentence", "联动单位")


def by_partner(event: Event) -> str:
    """The desk of another service as who did it."""
    return partner_of(event) if event.data.get("partner_name") else event.via or pgettext("in a sentence", "联动单位")


def _offered(event: Event, by: str) -> str:
    values = {"by": by, "partner": partner_of(event)}
    if event.data.get("mode") == "joint":
        return _("%(by)s请%(partner)s协同处置：") % values
    if event.data.get("emergency"):
        return _("%(by)s紧急移交%(partner)s：") % values
    if event.data.get("basis") == "unclear":
        return _("%(by)s请%(partner)s一起看该由谁办：") % values
    return _("%(by)s移交%(partner)s，等对方答复：") % values


def _offered_outside(event: Event, _by: str) -> str:
    values = {"partner": partner_of(event)}
    if event.data.get("mode") == "joint":
        return _("热线请%(partner)s一起来办。") % values
    return _("热线正在把这件事转给%(partner)s。对方接收以前，仍由热线负责。") % values


def _noted(event: Event, by: str) -> str:
    values = {"by": by, "partner": partner_of(event), "reference": event.data.get("reference", "")}
    made: dict[str, Callable[[], str]] = {
        "acknowledged": lambda: _("%(partner)s已看到，待答复。"),
        "accepted": lambda: _("%(partner)s已接收。"),
        "refused": lambda: _("%(partner)s不接收，仍由热线办理："),
        "negotiating": lambda: _("%(by)s与%(partner)s协商该由谁办："),
        "negotiated": lambda: _("%(by)s与%(partner)s商定："),
        "withdrawing": lambda: _("%(by)s撤回移交，等%(partner)s确认："),
        "withdrawn": lambda: _("%(partner)s确认撤回，仍由热线办理。"),
        "phoned": lambda: _("%(by)s电话联系%(partner)s："),
        "late": lambda: _("%(partner)s没有在约定时间内答复。"),
        "defaulted": lambda: _("协商不成，按先接单位负责，由热线办理。"),
        "supplemented": lambda: _("补充情况已发给%(partner)s。"),
        "linked": lambda: _("由%(partner)s转来，双方工单已关联。"),
        "dispatched": lambda: _("%(partner)s已派人，对方编号 %(reference)s。") if values["reference"] else _("%(partner)s已派人。"),
        "on_scene": lambda: _("%(partner)s的人已到现场。"),
        "working": lambda: _("%(partner)s正在处置。"),
        "outcome": lambda: _("%(partner)s反馈了结果："),
        "closed": lambda: _("已把办结情况告知%(partner)s。"),
    }
    told = made.get(str(event.data.get("step", "")))
    return (told() if told else _("%(partner)s有新的情况。")) % values


def _told(event: Event, _by: str) -> str:
    values = {"partner": partner_of(event)}
    made: dict[str, Callable[[], str]] = {
        "acknowledged": lambda: _("%(partner)s已经看到这件事。"),
        "accepted": lambda: _("%(partner)s已接收，一起来办。"),
        "dispatched": lambda: _("%(partner)s已派人前往。"),
        "on_scene": lambda: _("%(partner)s的人已到现场。"),
        "working": lambda: _("%(partner)s正在处置。"),
        "linked": lambda: _("这件事由%(partner)s转来，您不用再说一遍。"),
        "outcome": lambda: _("%(partner)s已经处置完毕。"),
    }
    for name in ("refused", "withdrawn", "defaulted"):
        made[name] = lambda: _("这件事不转了，仍由热线负责办理。")
    told = made.get(str(event.data.get("step", "")))
    return (told() if told else _("%(partner)s有了新的进展。")) % values


def detail(event: Event) -> list[str]:
    """What an event of a handover says beside its name, shortly, for staff."""
    from ..handing_over import Basis, Mode, Stage, Wish

    data = event.data
    parts = [partner_of(event)] if data.get("partner") else []
    for name, choices in (("step", Stage.choices), ("basis", Basis.choices), ("wish", Wish.choices)):
        if data.get(name) and not (name == "wish" and data[name] == Wish.NOT_ASKED):
            parts.append(str(dict(choices).get(data[name], data[name])))
    if data.get("mode") == Mode.JOINT:
        parts.append(_("协同"))
    if data.get("reference"):
        parts.append(_("对方编号 %s") % data["reference"])
    return parts


def _back(event: Event, by: str) -> str:
    return _("%(by)s接回办理（原由%(partner)s处置）。") % {"by": by, "partner": partner_of(event)}


INSIDE: dict[str, Callable[[Event, str], str]] = {
    "offer_handover": _offered,
    "withdraw_handover": _noted,
    "note_handover": _noted,
    "tell_handover": _noted,
    "release_handover": lambda event, by: _("%(partner)s已接收，由对方负责处置。") % {"partner": partner_of(event)},
    "take_back_handover": _back,
    "close_handover": lambda event, by: _("%(by)s归档：%(partner)s已办结，结果如下：") % {"by": by, "partner": partner_of(event)},
    "close_with_master": lambda event, by: _("主件由联动单位办结，这位诉求人也收到了结果。"),
}
OUTSIDE: dict[str, Callable[[Event, str], str]] = {
    "offer_handover": _offered_outside,
    "tell_handover": _told,
    "release_handover": lambda event, by: _("已转给%(partner)s，%(partner)s已接收。") % {"partner": partner_of(event)},
    "take_back_handover": lambda event, by: _("%(partner)s处置后，后面的事由热线接着办，您不用再说一遍。") % {
        "partner": partner_of(event)},
    "close_handover": lambda event, by: _("%(partner)s办完了，结果如下：") % {"partner": partner_of(event)},
    "close_with_master": lambda event, by: _("同一件事由%(partner)s办完了，结果如下：") % {"partner": partner_of(event)},
}


def headline(case: Case, due: str, late: bool) -> str:
    """The one sentence of a tracking page while another service has the case. One query."""
    from ..handing_over import latest

    held = latest(case.master_id if case.state == State.MERGED and case.master_id else case.pk)
    partner = named(str(held.get("partner_name", "")), str(held.get("partner_name_en", ""))) or pgettext("in a sentence", "联动单位")
    values = {"partner": partner, "due": due}
    if late:
        return _("已转给%(partner)s，由他们处置。原定 %(due)s前告诉您结果，已经超期，热线在催。") % values
    return _("已转给%(partner)s，由他们处置。有了结果，热线最迟 %(due)s前告诉您。") % values


def next_steps() -> list[str]:
    """What happens next with a case that another service has."""
    return [
        _("对方处置的情况和结果都会写在这里；还有别的事要办的，热线接着办。"),
        _("情况有变化的，可以在这里补充，会马上转给他们。有危险请直接拨 110、119 或 120。"),
    ]


def there(case: Case) -> bool:
    """Whether another service has the case, or the one it was merged under."""
    return case.state == State.HANDED_OVER or (
        case.state == State.MERGED and case.master is not None and case.master.state == State.HANDED_OVER)
