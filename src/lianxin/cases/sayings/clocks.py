"""Pauses, extensions and notices in sentences."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from lianxin.kernel.language import listed

from ..models import ActorKind, Case, ClockKind, Event, NoticeLevel, Suspension, SuspensionReason

if TYPE_CHECKING:
    from ..queries_clocks import ClockLine


def _when(event: Event, name: str) -> str:
    from ..narrative import day_and_time

    value = event.data.get(name)
    return day_and_time(datetime.fromisoformat(value)) if isinstance(value, str) else ""


def length(minutes: object, calendar: object = "working") -> str:
    """Minutes of a calendar's time in words: `2 个工作日`, `4 小时`."""
    from ..clocks import calendar_named

    count = int(minutes) if isinstance(minutes, int) else 0
    around = str(calendar) == "around_the_clock"
    day = calendar_named(str(calendar)).minutes_a_day
    if count and count % day == 0:
        days = count // day
        if around:
            return ngettext("%d 天", "%d 天", days) % days
        return ngettext("%d 个工作日", "%d 个工作日", days) % days
    if count and count % 60 == 0:
        hours = count // 60
        if around:
            return ngettext("%d 小时", "%d 小时", hours) % hours
        return ngettext("%d 个工作小时", "%d 个工作小时", hours) % hours
    if around:
        return ngettext("%d 分钟", "%d 分钟", count) % count
    return ngettext("%d 个工作分钟", "%d 个工作分钟", count) % count


def _suspended(event: Event, by: str, internal: bool) -> str:
    values = {"by": by, "until": _when(event, "until")}
    waiting = event.data.get("waits_for") == "reporter"
    if internal:
        return (_("%(by)s挂起，等诉求人补充，最迟到 %(until)s：") if waiting
                else _("%(by)s挂起，等外部条件，最迟到 %(until)s：")) % values
    return (_("%(by)s要等您补充情况，最迟等到 %(until)s，这段时间不算在期限里；您补充后马上接着办：") if waiting
            else _("%(by)s要等一个条件才能接着办，最迟等到 %(until)s，这段时间不算在期限里：")) % values


def _went_on(event: Event, by: str, internal: bool) -> str:
    values = {"by": by, "due": _when(event, "due")}
    if not internal:
        if event.action == "lift_suspension":
            return _("热线要求不再等，接着办理，最迟 %(due)s前答复您。") % values
        if event.action == "lapse_suspension":
            return _("等待的时间到了，接着办理，最迟 %(due)s前答复您。") % values
        return _("%(by)s接着办理，最迟 %(due)s前答复您。") % values
    if event.action == "lift_suspension":
        return _("%(by)s解除挂起，期限 %(due)s。") % values
    if event.action == "lapse_suspension":
        return _("挂起到期，恢复计时，期限 %(due)s。") % values
    return _("%(by)s恢复办理，期限 %(due)s。") % values


def paused(case: Case, unit: str) -> str:
    """The one sentence of a tracking page while the promised time stands still. One query."""
    from ..narrative import day_and_time

    pause = Suspension.objects.filter(case=case, ended_at__isnull=True).order_by("-at").first()
    values = {"unit": unit, "until": day_and_time(pause.until if pause else None)}
    if pause is not None and pause.reason == SuspensionReason.REPORTER:
        return _("%(unit)s在等您补充情况，最迟等到 %(until)s；您补充后马上接着办，等的时间不算在期限里。") % values
    return _("%(unit)s在等一个条件才能接着办，最迟等到 %(until)s；等的时间不算在期限里，原因写在下面。") % values


def detail(event: Event) -> list[str]:
    """What an event of a pause, an extension or a notice says beside its name, shortly, for staff."""
    data = event.data
    if data.get("waits_for"):
        return [str(dict(SuspensionReason.choices).get(data["waits_for"], "")), _("最迟 %(until)s") % {"until": _when(event, "until")}]
    if event.action in ("ask_extension", "grant_extension"):
        return ["+" + length(data.get("minutes"), data.get("calendar", "working")),
                *([f"→ {_when(event, 'due')}"] if data.get("due") else [])]
    if event.action in ("resume_work", "lift_suspension", "lapse_suspension") or data.get("resumed"):
        return [f"→ {_when(event, 'due')}"]
    kinds = dict(ClockKind.choices)
    return list(dict.fromkeys(str(kinds.get(one.get("kind"), "")) for one in data.get("notices", ())))


def story(lines: Sequence[ClockLine]) -> list[str]:
    """What happened to the time a reporter was promised, in plain sentences, oldest first."""
    from ..narrative import day_and_time

    told: list[tuple[datetime, str]] = []
    for line in lines:
        for pause in line.pauses:
            values = {"start": day_and_time(pause.at), "end": day_and_time(pause.ended_at or pause.until),
                      "length": length(pause.minutes, line.clock.calendar)}
            reporter = pause.reason == SuspensionReason.REPORTER
            if pause.ended_at is None:
                words = (_("%(start)s起等您补充情况，最迟等到 %(end)s，这段时间不算。") if reporter
                         else _("%(start)s起等一个外部条件，最迟等到 %(end)s，这段时间不算。"))
            else:
                words = (_("%(start)s到 %(end)s等您补充情况，没有算进期限的是 %(length)s。") if reporter
                         else _("%(start)s到 %(end)s等一个外部条件，没有算进期限的是 %(length)s。"))
            told.append((pause.at, words % values))
        told += [
            (one.decided_at, _("%(at)s经批准延长 %(length)s。") % {
                "at": day_and_time(one.decided_at), "length": length(one.granted_minutes, line.clock.calendar)})
            for one in line.extensions if one.decided_at is not None
        ]
    return [words for _at, words in sorted(told)]


def added(event: Event, by: str, internal: bool) -> str:
    """The reporter's words that ended a pause."""
    values = {"by": by, "due": _when(event, "due")}
    if internal:
        return _("%(by)s补充了情况，挂起结束，期限 %(due)s。") % values
    if event.actor_kind == ActorKind.REPORTER:
        return _("您补充了情况，办理单位接着办，最迟 %(due)s前答复您。您补充的是：") % values
    return _("热线替您补充了情况，办理单位接着办，最迟 %(due)s前答复您。补充的是：") % values


def _asked(event: Event, by: str) -> str:
    values = {"by": by, "length": length(event.data.get("minutes"), event.data.get("calendar", "working"))}
    if event.data.get("complex"):
        return _("%(by)s申请按疑难事项延期 %(length)s：") % values
    return _("%(by)s申请延期 %(length)s：") % values


def _granted(event: Event, by: str, internal: bool) -> str:
    values = {"by": by, "length": length(event.data.get("minutes"), event.data.get("calendar", "working")),
              "before": _when(event, "before"), "due": _when(event, "due")}
    if internal:
        return _("%(by)s同意延期 %(length)s，期限由 %(before)s改为 %(due)s：") % values
    return _("办理时间延长了 %(length)s，答复您的时间由 %(before)s改为 %(due)s，原因是：") % values


def _told(event: Event, level: NoticeLevel) -> str:
    kinds = dict(ClockKind.choices)
    named = listed(dict.fromkeys(str(kinds.get(one.get("kind"), "")) for one in event.data.get("notices", ())))
    forms = {
        NoticeLevel.REMINDER: _("系统提醒：%(kinds)s快到期了。"),
        NoticeLevel.ESCALATION: _("系统上报：%(kinds)s已超时。"),
        NoticeLevel.CIRCULAR: _("系统通报：%(kinds)s超时已久。"),
    }
    return forms[level] % {"kinds": named}


INSIDE: dict[str, Callable[[Event, str], str]] = {
    "suspend": lambda event, by: _suspended(event, by, True),
    "resume_work": lambda event, by: _went_on(event, by, True),
    "lift_suspension": lambda event, by: _went_on(event, by, True),
    "lapse_suspension": lambda event, by: _went_on(event, by, True),
    "ask_extension": _asked,
    "grant_extension": lambda event, by: _granted(event, by, True),
    "refuse_extension": lambda event, by: _("%(by)s不同意延期：") % {"by": by},
    "remind": lambda event, by: _told(event, NoticeLevel.REMINDER),
    "escalate": lambda event, by: _told(event, NoticeLevel.ESCALATION),
    "circulate": lambda event, by: _told(event, NoticeLevel.CIRCULAR),
}
OUTSIDE: dict[str, Callable[[Event, str], str]] = {
    "suspend": lambda event, by: _suspended(event, by, False),
    "resume_work": lambda event, by: _went_on(event, by, False),
    "lift_suspension": lambda event, by: _went_on(event, by, False),
    "lapse_suspension": lambda event, by: _went_on(event, by, False),
    "grant_extension": lambda event, by: _granted(event, by, False),
}
