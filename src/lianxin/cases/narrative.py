"""A case in whole sentences: whose it is, by when, and what happened – for the reporter, and for the desk.

No internal state name leaves this module. Every sentence is made of one translatable message, so that other
languages can put its parts in their own order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from django.utils.functional import Promise
from django.utils.timezone import localtime
from django.utils.translation import get_language, ngettext, pgettext
from django.utils.translation import gettext as _

from lianxin.kernel.clock import now
from lianxin.kernel.language import listed, named

from . import sayings
from .models import ActorKind, Case, ContactMeans, Event, Kind, Outcome, Phrase, State, Urgency
from .reference import reference
from .sayings import handing_over, merging


class Named(Protocol):
    """A unit, as a model or as the reference holds it."""

    @property
    def name(self) -> str: ...
    @property
    def name_en(self) -> str: ...


_DAYS_EN = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS_EN = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DAYS_ZH = "一二三四五六日"


def day_said(at: datetime | None) -> str:
    """`11 月 26 日（周四）`; `Thu 26 Nov`. The year is said when it is not this one."""
    if at is None:
        return ""
    local, today = localtime(at), localtime(now())
    language = get_language() or ""
    if language.startswith("en"):
        year = f" {local.year}" if local.year != today.year else ""
        return f"{_DAYS_EN[local.weekday()]} {local.day} {_MONTHS_EN[local.month - 1]}{year}"
    week = "週" if language == "zh-hant" else "周"
    year = f"{local.year} 年 " if local.year != today.year else ""
    return f"{year}{local.month} 月 {local.day} 日（{week}{_DAYS_ZH[local.weekday()]}）"


def day_and_time(at: datetime | None) -> str:
    """`11 月 26 日（周四）17:30`; `Thu 26 Nov, 17:30`. The year is said when it is not this one."""
    if at is None:
        return ""
    between = ", " if (get_language() or "").startswith("en") else ""
    return f"{day_said(at)}{between}{localtime(at):%H:%M}"


def _in_sentence(unit: Named | None, other: str) -> str:
    """A unit's name as it stands in a sentence, with an article where the language wants one; `other` for none."""
    if unit is None:
        return other
    # Translators: a unit's name inside a sentence; English wants an article before it.
    return pgettext("in a sentence", "%(unit)s") % {"unit": named(unit.name, unit.name_en)}


def unit_of(case: Case) -> str:
    """The lead unit's name, or the hotline's, as it stands in a sentence."""
    return _in_sentence(case.lead_unit, pgettext("in a sentence", "12345 热线"))


def standing(case: Case) -> str:
    """Two to six words for a list: where the case stands, as anyone would say it."""
    if case.state == State.CLOSED:
        return _CLOSED_SHORT.get(case.outcome, lambda: _("已办结"))()
    return {
        State.REGISTERED: _("等待受理"), State.ACCEPTED: _("正在转交单位"), State.DISPATCHED: _("已交单位"),
        State.IN_HAND: _("正在办理"), State.OBJECTED: _("正在核定由谁办"), State.REPLIED: _("答复正在审核"),
        State.CALLBACK: _("已答复，请您评价"), State.DECLINED: _("不归热线办"), State.WITHDRAWN: _("已撤回"),
        State.MERGED: _("与同一件事一起办理"), State.HANDED_OVER: _("已转给联动单位处置"),
    }[State(case.state)]


_CLOSED_SHORT: dict[str, Callable[[], str]] = {
    Outcome.ANSWERED: lambda: _("已答复"), Outcome.SOLVED: lambda: _("已解决"),
    Outcome.EXPLAINED: lambda: _("没能解决，已说明"), Outcome.UNREACHED: lambda: _("已答复，没联系上您"),
    Outcome.UNASKED: lambda: _("已答复，没有收到您的评价"), Outcome.IMPORTED: lambda: _("已办结"),
    Outcome.SELF_HANDLED: lambda: _("网格员当场处理了"), Outcome.HANDED_OVER: lambda: _("联动单位已办结"),
}


def _owner(case: Case) -> str:
    unit = unit_of(case)
    again = case.round > 1
    if case.state == State.REGISTERED:
        return _("12345 热线已收到您说的事，正在看该由哪个单位办")
    if case.state == State.ACCEPTED:
        return _("这件事要重新办理，热线正在找接手的单位") if again else _("热线已受理，正在转给责任单位")
    if case.state == State.DISPATCHED:
        return (_("这件事退回%(unit)s重办，等他们接单") if again else _("已交给%(unit)s，等他们接单")) % {"unit": unit}
    if case.state == State.IN_HAND:
        return (_("%(unit)s正在重新办理") if again else _("%(unit)s已接单，正在办理")) % {"unit": unit}
    if case.state == State.MERGED:
        return merging.owner(case, unit)
    return _("热线正在核定由哪个单位办理")


def headline(case: Case) -> str:
    """The one sentence a tracking page opens with: whose it is now and by when. `lead_unit` should be selected."""
    if case.state == State.REPLIED or merging.replied(case):
        return _("%(unit)s已写好答复，热线正在审核，通过后马上给您看。") % {"unit": unit_of(case)}
    if case.state == State.CALLBACK:
        if case.for_supervisor:
            return _("您说这件事还没解决。怎么办由督办人员来定，定下来会告诉您。")
        return _("%(unit)s已经答复。请看看是不是真解决了，在这里告诉我们一声；热线也可能打电话问您。") % {"unit": unit_of(case)}
    if case.state == State.DECLINED:
        return _("这件事不归 12345 热线办，该走的途径写在下面。")
    if case.state == State.WITHDRAWN:
        return _("这件事已经撤回，不再办理。")
    if case.state == State.CLOSED:
        return _closed(case)
    if handing_over.there(case):
        return handing_over.headline(case, day_and_time(case.due_at), bool(case.due_at and case.due_at < now()))
    if case.paused:
        return sayings.clocks.paused(case, unit_of(case))
    owner = _owner(case)
    if case.due_at is None:
        return _("%(owner)s。") % {"owner": owner}
    due = day_and_time(case.due_at)
    if case.due_at < now():
        return _("%(owner)s。原定 %(due)s前答复您，已经超期。") % {"owner": owner, "due": due}
    if case.due_provisional:
        return _("%(owner)s，最迟 %(due)s前答复您（暂定：那一年的放假安排还没公布）。") % {"owner": owner, "due": due}
    return _("%(owner)s，最迟 %(due)s前答复您。") % {"owner": owner, "due": due}


def _closed(case: Case) -> str:
    day = day_and_time(case.closed_at)
    if case.outcome == Outcome.SOLVED:
        return _("这件事已由%(unit)s办好，%(day)s办结。") % {"unit": unit_of(case), "day": day}
    if case.outcome == Outcome.EXPLAINED:
        return _("这件事没能解决，原因写在下面，%(day)s办结。") % {"day": day}
    if case.outcome == Outcome.UNREACHED:
        return _("%(unit)s已经答复，热线多次没联系上您，%(day)s办结。") % {"unit": unit_of(case), "day": day}
    if case.outcome == Outcome.UNASKED:
        return _("%(unit)s已经答复，没有收到您的评价，%(day)s办结。") % {"unit": unit_of(case), "day": day}
    if case.outcome == Outcome.ANSWERED:
        return _("热线当场答复了您，%(day)s办结。") % {"day": day}
    if case.outcome == Outcome.SELF_HANDLED:
        return _("网格员当场处理了，%(day)s办结。") % {"day": day}
    if case.outcome == Outcome.HANDED_OVER:
        return _("这件事由联动单位办完了，结果写在下面，%(day)s办结。") % {"day": day}
    return _("这件事已于 %(day)s办结。") % {"day": day}


def next_steps(case: Case, *, reachable: bool) -> list[str]:
    """What happens next, and what to do when it does not. `reachable`: the reporter left a telephone."""
    steps: list[str] = []
    open_now = case.state in (State.REGISTERED, State.ACCEPTED, State.DISPATCHED, State.IN_HAND, State.OBJECTED) or (
        case.state == State.MERGED and not merging.replied(case))
    if handing_over.there(case):
        return handing_over.next_steps()
    if case.state == State.REGISTERED:
        steps.append(_("热线先看该由哪个单位办，再转给这个单位；转到哪里，这里会写明。"))
        steps.append(_("受理时会按事项核定期限，日期有变会写在这里。"))
    elif case.state in (State.ACCEPTED, State.OBJECTED):
        steps.append(_("定下由哪个单位办以后，这里会写明。"))
    elif case.state == State.DISPATCHED:
        steps.append(_("%(unit)s接单后会去办，办完给您答复。") % {"unit": unit_of(case)})
    elif case.state == State.IN_HAND:
        steps.append(_("%(unit)s写好答复后，先由热线审核，再给您看。") % {"unit": unit_of(case)})
    elif case.state == State.REPLIED:
        steps.append(_("答复不清楚、不到位的，热线会退回去重办。"))
    elif case.state == State.MERGED:
        steps += merging.next_steps(case)
    elif case.state == State.CALLBACK:
        if case.for_supervisor:
            steps.append(_("督办人员会要求再办一次，或者向您说明办不了的原因。"))
        elif case.round == 1:
            steps.append(_("您说没解决的，马上退回原单位重办；重办以后还没解决，由督办人员来定。"))
        else:
            steps.append(_("您说还没解决的，由督办人员来定：再办一次，或者向您说明原因。"))
    if open_now:
        steps.append(
            _("办理单位可能会打您留的电话，请留意。") if reachable
            else _("您没有留电话，答复会写在这个页面上，请凭查询码来看。")
        )
        if case.due_at is not None and case.due_at < now():
            steps.append(_("已经超期：您可以拨 12345，报编号催办。"))
        else:
            steps.append(_("到时间还没有答复，您可以拨 12345，报编号催办。"))
    return steps


def _unit_named(code: object) -> str:
    return _in_sentence(reference().units_by_code.get(str(code or "")), str(code or ""))


def _phrase_row(kind: str, code: object) -> Phrase | None:
    return Phrase.objects.filter(list=kind, code=str(code or "")).first()


def _phrase(kind: str, code: object) -> str:
    found = _phrase_row(kind, code)
    return named(found.name, found.name_en) if found else str(code or "")


def _declined(code: object) -> str:
    """The lawful route, and what the city says of it in plain words."""
    found = _phrase_row("decline_route", code)
    route, words = (named(found.name, found.name_en), named(found.words, found.words_en)) if found else (str(code or ""), "")
    sentence = _("这件事不归热线办，该走的途径是：%s。") % route
    return f"{sentence} {words}".strip()


def _word(choices: Sequence[tuple[str, str | Promise]], value: object) -> str:
    return str(dict(choices).get(str(value), value or ""))


def _by(event: Event, internal: bool) -> str:
    """Who did it, as the reader may know them."""
    if event.actor_kind == ActorKind.REPORTER:
        return pgettext("in a sentence", "诉求人") if internal else pgettext("in a sentence", "您")
    if event.actor_kind == ActorKind.PARTNER:
        return handing_over.by_partner(event)
    if event.actor_kind == ActorKind.SYSTEM and event.actor is None:
        return pgettext("in a sentence", "系统") if internal else pgettext("in a sentence", "热线")
    if internal and event.actor is not None:
        unit = named(event.unit.name, event.unit.name_en) if event.unit else _("热线")
        # Translators: someone of the staff with their unit, inside a sentence.
        return pgettext("in a sentence", "%(unit)s %(person)s") % {"unit": unit, "person": named(event.actor.name)}
    return _in_sentence(event.unit, pgettext("in a sentence", "热线"))


def _contact(event: Event, by: str) -> str:
    means = _word(ContactMeans.choices, event.data.get("means"))
    if event.data.get("reached"):
        return _("%(by)s与诉求人取得联系（%(means)s）。") % {"by": by, "means": means}
    return _("%(by)s尝试联系诉求人（%(means)s），没有联系上。") % {"by": by, "means": means}


def _dispatched(event: Event, by: str, internal: bool) -> str:
    unit = _unit_named(event.data.get("lead_unit"))
    assisting = [_unit_named(code) for code in event.data.get("assisting_units", ())]
    values = {"by": by, "unit": unit, "others": listed(assisting)}
    if event.action == "redispatch":
        return (_("%(by)s改派给%(unit)s。") if internal else _("这件事改由%(unit)s办理。")) % values
    if assisting:
        return (_("%(by)s派给%(unit)s主办，%(others)s协办。") if internal
                else _("这件事交给%(unit)s办理，%(others)s配合。")) % values
    return (_("%(by)s派给%(unit)s。") if internal else _("这件事交给%(unit)s办理。")) % values


def _sentence(parts: Sequence[str]) -> str:
    """Parts of one sentence, joined and closed as the language does."""
    # Translators: between the parts of a sentence; its end.
    return pgettext("between parts", "，").join(filter(None, parts)) + pgettext("end of a sentence", "。")


def _sentences(first: str, second: str) -> str:
    """One after another, with the space that English puts between."""
    between = " " if (get_language() or "").startswith("en") else ""
    return f"{first}{between}{second}" if second else first


def _callback(event: Event, by: str, internal: bool) -> str:
    reached = event.data.get("outcome") == "reached"
    if not internal:
        if not reached:
            return _("热线回访您，没有联系上。")
        return _("热线回访了您：您说已经解决。") if event.data.get("solved") else _("热线回访了您：您说还没解决。")
    parts = [(_("%s回访，已接通") if reached else _("%s回访，没有联系上")) % by]
    if event.data.get("solved") is not None:
        parts.append(_("已解决") if event.data["solved"] else _("没有解决"))
    if event.data.get("truthful") is not None:
        parts.append(_("答复属实") if event.data["truthful"] else _("答复不属实"))
    satisfaction = {"satisfied": _("满意"), "basically": _("基本满意"), "dissatisfied": _("不满意")}
    if event.data.get("satisfaction"):
        parts.append(satisfaction.get(str(event.data["satisfaction"]), ""))
    return _sentence(parts)


def _rated(event: Event, by: str) -> str:
    words = {"satisfied": _("满意"), "basically": _("基本满意"), "dissatisfied": _("不满意")}
    how = words.get(str(event.data.get("satisfaction")), "")
    if event.data.get("solved"):
        return _("%(by)s评价：已解决，%(how)s。") % {"by": by, "how": how}
    return _("%(by)s评价：没解决，%(how)s。") % {"by": by, "how": how}


def _corrected(event: Event, by: str) -> str:
    """What an acceptance or correction set, from the columns the event wrote."""
    columns = event.changes.get("case", {})
    held = reference()
    parts: list[str] = []
    if columns.get("category_id") in held.nodes:
        parts.append(_("事项：%s") % held.nodes[columns["category_id"]].said)
    if columns.get("area_id") in held.places:
        parts.append(_("地点：%s") % held.places[columns["area_id"]].said)
    if columns.get("kind"):
        parts.append(_("类型：%s") % _word(Kind.choices, columns["kind"]))
    if columns.get("urgency"):
        parts.append(_("紧急程度：%s") % _word(Urgency.choices, columns["urgency"]))
    start = _("%s受理") % by if event.action == "accept" else _("%s更正了要素") % by
    return _sentence([start, *parts])


def _files(event: Event, by: str) -> str:
    count = int(event.data.get("count", 1) or 1)
    return ngettext("%(by)s添加了 %(count)d 个文件。", "%(by)s添加了 %(count)d 个文件。", count) % {"by": by, "count": count}


def _registered(event: Event, by: str, internal: bool) -> str:
    channel = event.data.get("channel")
    if not internal:
        return _("您说的事已登记。") if event.actor_kind == ActorKind.REPORTER else _("热线为您登记了这件事。")
    names = {"phone": _("电话"), "web": _("网络"), "field": _("网格上报"), "110": _("110 转来"), "open311": "Open311",
             "api": _("接口"), "import": _("历史导入"), "sensor": _("传感器"), "partner": _("联动单位转来")}
    return _("%(by)s登记，来自%(channel)s。") % {"by": by, "channel": names.get(str(channel), str(channel or ""))}


def _outside(event: Event) -> str | None:
    """The sentence for the reporter, None when there is none of its own."""
    unit = _in_sentence(event.unit, pgettext("in a sentence", "办理单位"))
    plain: dict[str, Callable[[], str]] = {
        "accept": lambda: _("热线受理了这件事，正在转给责任单位。"),
        "decline": lambda: _declined(event.data.get("route")),
        "answer_on_the_spot": lambda: _("热线答复了您："),
        "sign": lambda: _("%s已接单，开始办理。") % unit,
        "approve": lambda: _("办理结果出来了，热线审核通过，答复如下："),
        "reopen": lambda: _("热线退回重办："),
        "close": lambda: _("这件事办结归档。"),
        "close_imported": lambda: _("这件事在原来的系统里已经办结。"),
        "refer_emergency": lambda: _("热线把电话转到了 %s。") % event.data.get("service", ""),
        "request_publication": lambda: _("您同意把这件事公开，工作人员看过再公开。"),
        "clear_publication": lambda: (_("这件事和给您的答复已公开（已隐去个人信息）。") if event.data.get("answer")
                                      else _("这件事已公开（已隐去个人信息）。")),
        "refuse_publication": lambda: _("这件事不公开："),
        "withdraw": lambda: _("您撤回了这件事：") if event.actor_kind == ActorKind.REPORTER else _("热线按您的意思撤回："),
        "add_information": lambda: _("您补充说：") if event.actor_kind == ActorKind.REPORTER else _("热线替您补充："),
    }
    made = plain.get(event.action)
    more = sayings.OUTSIDE.get(event.action)
    return made() if made else more(event, unit) if more else None


def _answered(event: Event, by: str) -> str:
    if not event.data.get("article_version"):
        return _("%s直接答复并归档。") % by
    return _("%(by)s直接答复并归档，依据知识库“%(title)s”（%(code)s 第 %(number)s 版）。") % {
        "by": by, "title": event.data.get("article_title", ""), "code": event.data.get("article"),
        "number": event.data["article_version"]}


def _inside(event: Event, by: str) -> str:
    plain: dict[str, Callable[[], str]] = {
        "decline": lambda: _("%(by)s不予受理，法定途径：%(route)s。") % {
            "by": by, "route": _phrase("decline_route", event.data.get("route"))},
        "answer_on_the_spot": lambda: _answered(event, by),
        "add_assisting": lambda: _("%(by)s增加协办：%(units)s。") % {
            "by": by, "units": listed(_unit_named(code) for code in event.data.get("assisting_units", ()))},
        "sign": lambda: _("%s签收。") % by,
        "raise_return": lambda: _("%(by)s申请退单：%(reason)s。") % {
            "by": by, "reason": _phrase("return_reason", event.data.get("reason"))},
        "uphold_return": lambda: _("%s同意退单，重新派单。") % by,
        "reject_return": lambda: _("%s驳回退单，仍由原单位办理。") % by,
        "assist_sign": lambda: _("%s签收（协办）。") % by,
        "assist_reply": lambda: _("%s提交协办意见。") % by,
        "hand_to_colleague": lambda: _("%s转给同事办理。") % by,
        "ask_colleague": lambda: _("%s内部留言。") % by,
        "reply": lambda: (_("%s答复：已解决。") if event.data.get("solved") else _("%s答复：未解决。")) % by,
        "approve": lambda: _("%s审核通过，答复已发给诉求人。") % by,
        "send_back": lambda: _("%s退回，要求重写或重办。") % by,
        "reopen": lambda: _("%s决定重办。") % by,
        "close": lambda: _("%(by)s归档：%(outcome)s。") % {
            "by": by, "outcome": _word(Outcome.choices, event.data.get("outcome"))},
        "close_imported": lambda: _("导入时已在原系统办结。"),
        "withdraw": lambda: _("%s撤回。") % by,
        "add_information": lambda: _("%s补充情况。") % by,
        "add_reporter": lambda: _("%s补登了诉求人。") % by,
        "refer_emergency": lambda: _("%(by)s转接 %(service)s。") % {"by": by, "service": event.data.get("service", "")},
        "request_publication": lambda: _("%s同意公开，待审核。") % by,
        "clear_publication": lambda: (_("%s审核通过，连同答复公开。") if event.data.get("answer") else _("%s审核通过，已公开。")) % by,
        "refuse_publication": lambda: _("%s决定不予公开。") % by,
        "anonymise": lambda: _("保存期满，个人信息已清除。"),
    }
    made = plain.get(event.action)
    more = sayings.INSIDE.get(event.action)
    return made() if made else more(event, by) if more else _("%(by)s：%(action)s。") % {"by": by, "action": event.action}


def said(event: Event, *, internal: bool) -> str:
    """One sentence for one event, ending in a colon where its words follow.

    With `internal` it names the person and says everything; without, it speaks to the reporter and names the unit
    only. `event.unit` and `event.actor` should be selected; `event.data` and `event.changes` are read.
    """
    by = _by(event, internal)
    if event.action == "register":
        return _registered(event, by, internal)
    if event.action in ("dispatch", "redispatch"):
        return _dispatched(event, by, internal)
    if event.action == "record_callback_attempt":
        return _sentences(_callback(event, by, internal), sayings.quality.decided_by_supervisor(event, internal=internal))
    if event.action == "rate":
        return _sentences(_rated(event, by), sayings.quality.decided_by_supervisor(event, internal=internal))
    if event.data.get("resumed"):
        return sayings.clocks.added(event, by, internal)
    if event.action == "attach":
        return _files(event, by)
    if event.action == "record_contact":
        if event.data.get("means") == ContactMeans.NOT_LEFT:
            return (_("%s记下：诉求人没有留联系方式。") if internal else _("您没有留联系方式，%s直接去办，结果写在这里。")) % by
        if internal:
            return _contact(event, by)
        return (_("%s联系了您。") if event.data.get("reached") else _("%s联系您，没有联系上。")) % by
    if internal:
        return _corrected(event, by) if event.action in ("accept", "correct") else _inside(event, by)
    return _outside(event) or _("%s更新了办理情况。") % by
