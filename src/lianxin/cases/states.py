"""The life of a case as one table: action → (from, to, who, required fields).

Source: the process of 国办发〔2020〕53号 (受理 → 派单 → 签收 → 办理 → 答复 → 审核 → 回访 → 评价 → 归档) with its side
paths. Buttons, the API's action list, the documentation's diagram and the policy are made from this table; the
engine refuses whatever it does not hold.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from lianxin.organisations.models import Role

from .models import BESIDE_AN_OFFER, OPEN_STATES, TERMINAL, State


class Holder(StrEnum):
    """On whose behalf an action is done."""

    HOTLINE = "hotline"
    LEAD = "lead"
    ASSIST = "assist"
    REPORTER = "reporter"
    SYSTEM = "system"
    GRID = "grid"  # the grid worker who reported it, or who is asked to look
    PARTNER = "partner"  # the desk of another service that the matter is shared with


@dataclass(frozen=True, slots=True)
class Transition:
    """One row. `sources` empty means that the action makes the case. `targets` empty means the state stays.

    `public` says that the reporter sees the event; `bumps` that a person acting on an older version is told first.
    """

    action: str
    label: str | Promise
    sources: tuple[State, ...]
    targets: tuple[State, ...]
    roles: frozenset[Role]
    holders: frozenset[Holder]
    requires: tuple[str, ...] = ()
    public: bool = False
    bumps: bool = True
    announces: bool = False
    key: str = ""
    optional: tuple[str, ...] = field(default=())

    def leads_from(self, state: State | str) -> bool:
        return state in self.sources

    @property
    def makes_case(self) -> bool:
        return not self.sources

    @property
    def settles(self) -> bool:
        """Whether it ends the case or answers its reporter for good: not while the desk of another service may still take it."""
        return bool(set(self.targets) & {*TERMINAL, State.MERGED, State.CALLBACK})

    @property
    def for_a_unit(self) -> bool:
        """Whether a clerk does it on behalf of the unit that holds the case."""
        return bool(self.holders & {Holder.LEAD, Holder.ASSIST})


_OPERATOR: Final = frozenset({Role.OPERATOR})
_DISPATCHER: Final = frozenset({Role.DISPATCHER})
_INTAKE: Final = frozenset({Role.OPERATOR, Role.DISPATCHER})
_CLERK: Final = frozenset({Role.CLERK})
_WORKER: Final = frozenset({Role.GRID_WORKER})
_REVIEWER: Final = frozenset({Role.REVIEWER})
_CALLBACK: Final = frozenset({Role.CALLBACK})
_SUPERVISOR: Final = frozenset({Role.SUPERVISOR})
_NOBODY: Final[frozenset[Role]] = frozenset()
_ANYONE: Final = frozenset(Role) - {Role.ADMINISTRATOR, Role.GRID_WORKER, Role.TEAM_LEAD, Role.CARE_KEEPER, Role.HEAD,
                                     Role.LEADER, Role.SWITCHBOARD, Role.OUTSIDE_APP}
_HOTLINE: Final = frozenset({Holder.HOTLINE})
_LEAD: Final = frozenset({Holder.LEAD})
_UNIT: Final = frozenset({Holder.LEAD, Holder.ASSIST})
_SYSTEM: Final = frozenset({Holder.SYSTEM})
_GRID: Final = frozenset({Holder.GRID})
_WITH_A_UNIT: Final = (State.DISPATCHED, State.IN_HAND, State.OBJECTED, State.REPLIED, State.CALLBACK)
_WORKING: Final = (State.DISPATCHED, State.IN_HAND)
_LINKAGE: Final = frozenset({Holder.HOTLINE, Holder.PARTNER, Holder.SYSTEM})
_BEFORE_REPLY: Final = (State.REGISTERED, State.ACCEPTED, State.DISPATCHED, State.IN_HAND, State.OBJECTED)

TABLE: Final[tuple[Transition, ...]] = (
    Transition(
        "register", _("登记"), (), (State.REGISTERED,),
        frozenset({Role.OPERATOR, Role.DISPATCHER, Role.GRID_WORKER, Role.CLERK, Role.OUTSIDE_APP}),
        frozenset({Holder.HOTLINE, Holder.REPORTER, Holder.SYSTEM}),
        requires=("words",), public=True, announces=True,
    ),
    Transition(
        "accept", _("受理"), (State.REGISTERED,), (State.ACCEPTED,), _INTAKE, _HOTLINE | _SYSTEM,
        requires=("category",), optional=("area", "kind", "urgency"), public=True, key="a",
    ),
    Transition(
        "decline", _("不予受理"), (State.REGISTERED, State.ACCEPTED), (State.DECLINED,), _INTAKE, _HOTLINE,
        requires=("route", "explanation"), public=True, announces=True, key="x",
    ),
    Transition(
        "answer_on_the_spot", _("直接答复"), (State.REGISTERED, State.ACCEPTED), (State.CLOSED,), _INTAKE, _HOTLINE,
        requires=("public_answer",), optional=("category", "article", "means", "contacted_at"), public=True, announces=True, key="w",
    ),
    # What a grid worker found and put right at once: with a photo of before and one of after.
    Transition(
        "settle_on_the_spot", _("自行处置"), (State.REGISTERED,), (State.CLOSED,), _WORKER, _GRID,
        requires=("public_answer", "attachments"), optional=("category",), public=True,
    ),
    Transition(
        "dispatch", _("派单"), (State.ACCEPTED,), (State.DISPATCHED,), _INTAKE, _HOTLINE | _SYSTEM,
        requires=("lead_unit",), optional=("assisting_units", "note"), public=True, announces=True, key="d",
    ),
    Transition(
        "redispatch", _("改派"), _WORKING, (State.DISPATCHED,), _DISPATCHER, _HOTLINE,
        requires=("lead_unit", "reason"), optional=("assisting_units",), public=True, announces=True, key="r",
    ),
    Transition(
        "add_assisting", _("增加协办"), _WORKING, (), _DISPATCHER, _HOTLINE,
        requires=("assisting_units",), optional=("note",),
    ),
    Transition("sign", _("签收"), (State.DISPATCHED,), (State.IN_HAND,), _CLERK | _WORKER, _LEAD, public=True, key="s"),
    Transition(
        "record_contact", _("记录联系"), (*_WORKING, State.MERGED), (), _CLERK | _WORKER, _UNIT,
        requires=("means", "reached"), optional=("contacted_at", "note", "duplicates"), public=True, bumps=False, key="c",
    ),
    Transition(
        "raise_return", _("退单"), _WORKING, (State.OBJECTED,), _CLERK, _LEAD,
        requires=("reason", "evidence"), optional=("suggested_unit",), key="t",
    ),
    Transition(
        "uphold_return", _("同意退单"), (State.OBJECTED,), (State.ACCEPTED,), _DISPATCHER, _HOTLINE,
        requires=("ruling",), key="u",
    ),
    Transition(
        "reject_return", _("驳回退单"), (State.OBJECTED,), _WORKING, _DISPATCHER, _HOTLINE,
        requires=("ruling",), key="v",
    ),
    Transition(
        "rule_jointly", _("联合裁定"), (State.OBJECTED,), (State.DISPATCHED,), _DISPATCHER, _HOTLINE,
        requires=("lead_unit", "assisting_units", "ruling", "basis"), public=True, announces=True, key="d",
    ),
    Transition("assist_sign", _("协办签收"), _WORKING, (), _CLERK, frozenset({Holder.ASSIST}), bumps=False),
    Transition(
        "assist_reply", _("协办意见"), (State.IN_HAND,), (), _CLERK, frozenset({Holder.ASSIST}),
        requires=("private_note",), bumps=False,
    ),
    Transition(
        "hand_to_colleague", _("转同事办理"), _WORKING, (), _CLERK | {Role.TEAM_LEAD}, _UNIT, requires=("officer",), bumps=False, key="h",
    ),
    Transition(
        "ask_colleague", _("内部留言"), OPEN_STATES, (), _ANYONE | _WORKER, _HOTLINE | _UNIT, requires=("note",), bumps=False,
        key="n",
    ),
    Transition(
        "suspend", _("挂起"), (State.IN_HAND,), (), _CLERK, _LEAD, requires=("waits_for", "words", "until"), public=True,
        bumps=False, announces=True, key="x",
    ),
    Transition(
        "resume_work", _("恢复办理"), (State.IN_HAND,), (), _CLERK, _LEAD, optional=("note",), public=True, bumps=False,
        key="s",
    ),
    Transition(
        "lift_suspension", _("解除挂起"), (State.IN_HAND,), (), _DISPATCHER | _SUPERVISOR, _HOTLINE, requires=("reason",),
        public=True, bumps=False, key="u",
    ),
    Transition("lapse_suspension", _("挂起到期"), (State.IN_HAND,), (), _NOBODY, _SYSTEM, public=True, bumps=False),
    Transition(
        "ask_extension", _("申请延期"), (State.IN_HAND,), (), _CLERK, _LEAD, requires=("reason",),
        optional=("minutes", "complex"), bumps=False, key="d",
    ),
    Transition(
        "grant_extension", _("同意延期"), (State.IN_HAND,), (), _DISPATCHER | _SUPERVISOR, _HOTLINE,
        requires=("explanation",), optional=("minutes",), public=True, bumps=False, announces=True, key="g",
    ),
    Transition(
        "refuse_extension", _("不同意延期"), (State.IN_HAND,), (), _DISPATCHER | _SUPERVISOR, _HOTLINE,
        requires=("reason",), bumps=False, key="v",
    ),
    Transition(
        "reply", _("答复"), (State.IN_HAND,), (State.REPLIED,), _CLERK | _WORKER, _LEAD,
        requires=("public_answer", "solved"), optional=("private_note", "means", "contacted_at"), key="e",
    ),
    Transition("approve", _("审核通过"), (State.REPLIED,), (State.CALLBACK,), _REVIEWER, _HOTLINE,
               optional=("answers", "note"), public=True, announces=True, key="p"),
    Transition(
        "send_back", _("退回重办"), (State.REPLIED,), (State.IN_HAND,), _REVIEWER, _HOTLINE, requires=("reason",),
        optional=("answers",), key="b",
    ),
    Transition(
        "record_callback_attempt", _("记录回访"), (State.CALLBACK,), (), _CALLBACK, _HOTLINE,
        requires=("outcome",), optional=("truthful", "solved", "satisfaction", "justified", "note"), public=True, bumps=False,
        key="l",
    ),
    Transition(
        "reopen", _("重办"), (State.CALLBACK, State.CLOSED), (State.DISPATCHED, State.ACCEPTED),
        frozenset({Role.CALLBACK, Role.SUPERVISOR}), _HOTLINE, requires=("reason",), public=True, announces=True,
        key="o",
    ),
    Transition(
        "reopen_unsolved", _("自动重办"), (State.CALLBACK, State.CLOSED), (State.DISPATCHED, State.ACCEPTED), _NOBODY, _SYSTEM,
        public=True, announces=True,
    ),
    Transition(
        "contest", _("不认可办结"), (State.CLOSED,), (State.CALLBACK, State.ACCEPTED), _OPERATOR,
        frozenset({Holder.REPORTER, Holder.HOTLINE}), requires=("words",), public=True, announces=True, key="q",
    ),
    # An independent look: by a grid worker of the place who had no part in it.
    Transition(
        "ask_check", _("请现场核查"), (State.REPLIED, State.CALLBACK, State.CLOSED), (), _REVIEWER | _CALLBACK | _SUPERVISOR,
        _HOTLINE, requires=("note",), optional=("worker",), bumps=False, key="e",
    ),
    Transition(
        "answer_check", _("核查结果"), (State.REPLIED, State.CALLBACK, State.CLOSED), (), _WORKER, _GRID,
        requires=("handled", "attachments"), optional=("note", "lon", "lat"), bumps=False,
    ),
    Transition("close", _("归档"), (State.CALLBACK,), (State.CLOSED,), _CALLBACK | {Role.SUPERVISOR}, _HOTLINE,
               optional=("explanation",), public=True, announces=True, key="g"),
    Transition(
        "close_unasked", _("到期归档"), (State.CALLBACK,), (State.CLOSED,), _NOBODY, _SYSTEM, public=True, announces=True,
    ),
    Transition(
        "rate", _("评价"), (State.CALLBACK, State.CLOSED), (), _NOBODY, frozenset({Holder.REPORTER}),
        requires=("solved", "satisfaction"), optional=("words",), public=True, bumps=False,
    ),
    Transition(
        "withdraw", _("撤回"), tuple(s for s in OPEN_STATES if s is not State.HANDED_OVER), (State.WITHDRAWN,), _OPERATOR,
        frozenset({Holder.REPORTER, Holder.HOTLINE}), requires=("reason",), public=True,
    ),
    Transition(
        "add_information", _("补充情况"), OPEN_STATES, (), _INTAKE | _CALLBACK | _WORKER,
        frozenset({Holder.REPORTER, Holder.HOTLINE, Holder.GRID}), requires=("words",), public=True, bumps=False, key="i",
    ),
    # Who raised it, when that was not known yet at registering: an emergency does not wait for a name.
    Transition(
        "add_reporter", _("补登诉求人"), OPEN_STATES, (), _INTAKE, _HOTLINE, optional=("name", "phone", "address"), bumps=False,
    ),
    Transition(
        "attach", _("添加附件"), OPEN_STATES, (), _ANYONE | _WORKER, _HOTLINE | _UNIT | {Holder.REPORTER, Holder.GRID},
        requires=("attachments",), public=True, bumps=False,
    ),
    Transition(
        "correct", _("更正要素"), _BEFORE_REPLY, (), _INTAKE, _HOTLINE,
        requires=("reason",), optional=("category", "area", "kind", "urgency"), key="m",
    ),
    Transition(
        "refer_emergency", _("转接紧急电话"), OPEN_STATES, (), _INTAKE | _WORKER, _HOTLINE | _GRID,
        requires=("service",), optional=("note",), public=True, bumps=False,
    ),
    Transition(
        "request_publication", _("同意公开"), tuple(s for s in State if s not in (State.DECLINED, State.WITHDRAWN)), (),
        _OPERATOR, frozenset({Holder.REPORTER, Holder.HOTLINE}), requires=("title", "body"), public=True, bumps=False,
    ),
    Transition(
        "clear_publication", _("审核公开"), tuple(s for s in State if s not in (State.DECLINED, State.WITHDRAWN)), (),
        _REVIEWER | _DISPATCHER, _HOTLINE, requires=("title", "body"), optional=("answer",), public=True, bumps=False,
    ),
    Transition(
        "refuse_publication", _("不予公开"), tuple(State), (), _REVIEWER | _DISPATCHER, _HOTLINE,
        requires=("reason",), public=True, bumps=False,
    ),
    Transition(
        "urge", _("催办"), _WORKING, (), frozenset({Role.SUPERVISOR, Role.DISPATCHER}), _HOTLINE, requires=("words",),
        public=True, bumps=False,
    ),
    Transition(
        "supervise", _("督办"), _WORKING, (), _SUPERVISOR, _HOTLINE, requires=("words",), public=True, bumps=False,
    ),
    Transition(
        "answer_supervision", _("答复督办"), _WITH_A_UNIT, (), _CLERK | {Role.HEAD}, _LEAD, requires=("words",), bumps=False,
    ),
    Transition(
        "accept_supervision_answer", _("解除督办"), _WITH_A_UNIT, (), _SUPERVISOR, _HOTLINE, optional=("note",), public=True,
        bumps=False,
    ),
    Transition(
        "refuse_supervision_answer", _("退回督办答复"), _WITH_A_UNIT, (), _SUPERVISOR, _HOTLINE, requires=("reason",),
        bumps=False,
    ),
    # A matter that stands on the public list, or is taken off it: done by the list, on every case it is about.
    Transition("list_supervision", _("挂牌督办"), OPEN_STATES, (), _NOBODY, _SYSTEM, public=True, bumps=False),
    Transition("delist_supervision", _("摘牌"), tuple(State), (), _NOBODY, _SYSTEM, public=True, bumps=False),
    # One matter, several reporters: the master is acted on, the others follow.
    Transition(
        "merge", _("并案"), (*_BEFORE_REPLY, State.HANDED_OVER), (), _INTAKE, _HOTLINE, requires=("duplicates", "reason"), key="q",
    ),
    Transition(
        "unmerge", _("拆分"), (State.MERGED,), (State.REGISTERED, State.ACCEPTED, State.DISPATCHED), _DISPATCHER, _HOTLINE,
        requires=("reason",), public=True, key="q",
    ),
    Transition("join_master", _("并入主件"), (*_BEFORE_REPLY, State.MERGED), (State.MERGED,), _NOBODY, _SYSTEM, public=True,
               announces=True),
    Transition("follow_master", _("随主件变动"), (State.MERGED,), (), _NOBODY, _SYSTEM, bumps=False),
    Transition("answer_with_master", _("随主件答复"), (State.MERGED,), (State.CALLBACK,), _NOBODY, _SYSTEM, public=True,
               announces=True),
    Transition("take_over", _("接任主件"), (State.MERGED,), (State.REGISTERED, State.ACCEPTED, State.DISPATCHED), _NOBODY,
               _SYSTEM, public=True),
    Transition("release_duplicate", _("拆出"), (*_BEFORE_REPLY, State.REPLIED, State.HANDED_OVER), (), _NOBODY, _SYSTEM, bumps=False),
    # Handing over to the desk of another service, and what comes of it there. Offering and taking back an offer are people's; the
    # other rows are steps of the link between the two desks (`lianxin.linkage`), done when a message is sent or comes in.
    Transition(
        "offer_handover", _("移交"), (State.REGISTERED, State.ACCEPTED, *_WORKING), (), _INTAKE, _HOTLINE,
        requires=("partner", "reason"), optional=("basis", "emergency", "mode", "wish", "note"), public=True, key="o",
    ),
    Transition(
        "withdraw_handover", _("撤回移交"), BESIDE_AN_OFFER, (), _INTAKE, _HOTLINE, requires=("reason",), bumps=False, key="l",
    ),
    Transition("note_handover", _("移交记录"), tuple(State), (), _INTAKE | _SUPERVISOR, _LINKAGE, bumps=False),
    Transition("tell_handover", _("联动进展"), tuple(State), (), _INTAKE | _SUPERVISOR, _LINKAGE, public=True, bumps=False),
    Transition(
        "release_handover", _("对方接收"), tuple(s for s in OPEN_STATES if s not in (State.MERGED, State.HANDED_OVER)),
        (State.HANDED_OVER,), _INTAKE | _SUPERVISOR, _LINKAGE, public=True, announces=True,
    ),
    Transition(
        "take_back_handover", _("接回办理"), (State.HANDED_OVER,), (State.ACCEPTED, State.REGISTERED), _INTAKE | _SUPERVISOR,
        _LINKAGE, public=True, announces=True,
    ),
    Transition(
        "close_handover", _("联动办结"), (State.HANDED_OVER,), (State.CLOSED,), _INTAKE | _SUPERVISOR, _LINKAGE, public=True,
        announces=True,
    ),
    Transition("close_with_master", _("随主件办结"), (State.MERGED,), (State.CLOSED,), _NOBODY, _SYSTEM, public=True, announces=True),
    # What was sent to, or heard from, another system that has the case as well (`lianxin.exchange`). It moves nothing.
    Transition("note_outside", _("外部系统记录"), tuple(State), (), _NOBODY, _SYSTEM, bumps=False),
    # A clock has spoken: near its end, at it, and long after.
    Transition("remind", _("到期提醒"), OPEN_STATES, (), _NOBODY, _SYSTEM, bumps=False),
    Transition("escalate", _("超时上报"), OPEN_STATES, (), _NOBODY, _SYSTEM, bumps=False),
    Transition("circulate", _("超时通报"), OPEN_STATES, (), _NOBODY, _SYSTEM, bumps=False),
    # A calendar has become known or has changed: the clocks fall due when it says so now.
    Transition("recompute_due", _("重算期限"), OPEN_STATES, (), _NOBODY, _SYSTEM, public=True, bumps=False),
    # A case that another system had closed before it came here: only an import takes this way.
    Transition("close_imported", _("历史导入归档"), (State.ACCEPTED,), (State.CLOSED,), _NOBODY, _SYSTEM, public=True),
    Transition("anonymise", _("到期匿名"), TERMINAL, (), _NOBODY, _SYSTEM, bumps=False),
)

BY_ACTION: Final[dict[str, Transition]] = {row.action: row for row in TABLE}


def transitions_from(state: State | str) -> Iterator[Transition]:
    """The rows that may be taken from `state`, in the table's order: the likeliest first."""
    return (row for row in TABLE if row.leads_from(state))
