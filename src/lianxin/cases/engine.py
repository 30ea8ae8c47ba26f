"""How every write to a case is done: lock, check, change, append the event, enqueue the message – one transaction.

An action is a function that receives a `Step` and changes the case through it; `@action("name")` turns it into
`name(on, **fields) -> Done`. Nothing else writes state columns, and the event carries every column it set, so the
columns can be made again from the log (`cases.rebuild`).
"""

from __future__ import annotations

import functools
import hashlib
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Concatenate, ParamSpec

from django.db import IntegrityError, OperationalError, transaction
from django.utils.translation import gettext_lazy as _

from lianxin.kernel import request_ids
from lianxin.kernel.clock import now
from lianxin.kernel.crypto import lookup_hash
from lianxin.kernel.errors import Conflict, Invalid, NotAllowed, NotFound
from lianxin.kernel.ids import uuid7, uuid7_after
from lianxin.organisations.actors import Actor, Kind

from . import answers, families, handing_over, policy
from .models import (
    TERMINAL,
    Assignment,
    AssignmentRole,
    Case,
    Clock,
    ClockKind,
    Event,
    EventText,
    Return,
    State,
    Submission,
    SuspensionEnd,
)
from .states import BY_ACTION, Transition
from .timing import Timing

P = ParamSpec("P")


@dataclass(frozen=True, slots=True)
class On:
    """What is acted on, by whom, having seen which version; `key` makes the write happen once only."""

    case_id: uuid.UUID
    by: Actor
    version: int | None = None
    key: bytes | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """The result of a write. `replayed` says that the same write had been made before."""

    case_id: uuid.UUID
    event_id: uuid.UUID
    state: str
    version: int
    replayed: bool = False


def submission_key(*parts: str) -> bytes:
    """32 bytes that name one write: who or which token, what, and the client's own key."""
    return hashlib.sha256("\x1f".join(parts).encode()).digest()


def digest_of(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()


def plain(value: Any) -> Any:
    """A state column's value as it stands in an event: JSON types only."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, uuid.UUID):
        return str(value)
    return value


# Called when a case ends, for what other apps keep about it (`supervision.apps`).
ENDINGS: list[Callable[[Step], None]] = []
# Called when an action on a case has been written, in its transaction, for what has to be told elsewhere (`exchange.apps`).
WRITTEN: list[Callable[[Step], None]] = []


@dataclass(slots=True)
class Step(Timing):
    """One action under way. Use the methods; they keep the rows and the event the same."""

    case: Case
    row: Transition
    by: Actor
    at: datetime
    assignments: list[Assignment]
    running: list[Clock]
    mine: Assignment | None
    event_id: uuid.UUID = field(default_factory=uuid7)
    to_state: str = ""
    data: dict[str, Any] = field(default_factory=dict)
    texts: list[tuple[str, str, bool]] = field(default_factory=list)
    _case: dict[str, Any] = field(default_factory=dict)
    _assignments: dict[uuid.UUID, dict[str, Any]] = field(default_factory=dict)
    _clocks: dict[uuid.UUID, dict[str, Any]] = field(default_factory=dict)
    _new_assignments: list[Assignment] = field(default_factory=list)
    _new_clocks: list[Clock] = field(default_factory=list)
    assignment_id: uuid.UUID | None = None
    _from_state: str = ""
    ended_parts: list[Assignment] = field(default_factory=list)

    @property
    def came_from(self) -> str:
        """The state before this action."""
        return self._from_state

    @property
    def given(self) -> list[Assignment]:
        """The parts that this action gave out."""
        return [one for one in self._new_assignments if one.state == "assigned"]

    @property
    def lead(self) -> Assignment | None:
        return next((a for a in self.assignments if a.role == AssignmentRole.LEAD), None)

    def to(self, state: State) -> None:
        """Move the case. The table says where to; anything else is a programming error."""
        if state not in self.row.targets:
            raise AssertionError(f"{self.row.action} does not lead to {state}")
        self.to_state = state
        self.set(state=state.value)

    def say(self, name: str, body: str, *, public: bool) -> None:
        """Words that go with the event; empty ones are left out."""
        if body:
            self.texts.append((name, body, public))

    def assign(self, *, unit_id: int, role: AssignmentRole, officer_id: int | None = None, rule_id: int | None = None,
               against: bool = False) -> Assignment:
        """Give a unit its part, with a clock for signing under the unit's own limits."""
        made = Assignment(
            case=self.case, unit_id=unit_id, role=role.value, state="assigned", assigned_at=self.at, assigned_by_id=self.by.staff_id,
            officer_id=officer_id, rule_id=rule_id, against_catalogue=against,
        )
        self._new_assignments.append(made)
        self.assignments.append(made)
        limits = self.limits(unit_id=unit_id)
        self.start(ClockKind.SIGN_FOR, minutes=limits.sign_for, calendar=limits.calendar, assignment=made)
        if unit_id not in self.case.unit_ids:
            self.set(unit_ids=[*self.case.unit_ids, unit_id])
        return made

    def take_part(self, like: Assignment) -> Assignment:
        """Write down that a unit handled this case together with another one: its part is done, and nothing is owed."""
        made = Assignment(
            case=self.case, unit_id=like.unit_id, role=AssignmentRole.LEAD.value, state="handled", officer_id=like.officer_id,
            assigned_at=self.at, assigned_by_id=self.by.staff_id, signed_at=self.at, handled_at=self.at, due_at=self.case.due_at,
            rule_id=like.rule_id, against_catalogue=like.against_catalogue,
        )
        self._new_assignments.append(made)
        self.assignments.append(made)
        if like.unit_id not in self.case.unit_ids:
            self.set(unit_ids=[*self.case.unit_ids, like.unit_id])
        return made

    def end(self, assignment: Assignment) -> None:
        """End a unit's part. A return of it that nobody has ruled on lapses; the ledger keeps and counts it. A pause is the
        lead unit's and ends with its part."""
        self.stop(assignment=assignment)
        if assignment.role == AssignmentRole.LEAD:
            for clock in self.running:
                self.resume(clock, SuspensionEnd.ENDED)
        if assignment.state == "objected":
            for entry in Return.objects.filter(assignment=assignment, ruling=Return.Ruling.WAITING):
                entry.minutes = self.waited(ClockKind.RULING, entry.raised_at)
                entry.ruling, entry.ruled_at, entry.ruling_event_id = Return.Ruling.LAPSED, self.at, self.event_id
                entry.save(update_fields=["ruling", "ruled_at", "ruling_event_id", "minutes"])
            self.stop(kind=ClockKind.RULING)
        self.set_assignment(assignment, state="ended", ended_at=self.at)
        self.assignments.remove(assignment)
        self.ended_parts.append(assignment)

    def end_all(self) -> None:
        for assignment in list(self.assignments):
            self.end(assignment)

    def finish(self) -> None:
        """What every ending has in common: parts ended, clocks stopped, the time of it."""
        self.end_all()
        self.stop(everything=True)
        self.set(closed_at=self.at)
        for ended in ENDINGS:
            ended(self)

    def require(self, **values: object) -> None:
        """Raise Invalid naming every required field that is empty."""
        missing = {name: str(_("请填写这一项。")) for name in self.row.requires if values.get(name) in (None, "", [])}
        if missing:
            raise Invalid(_("还差几项，补上再提交。已填的内容都在。"), fields=missing)

    def _settle_due(self) -> None:
        # With another service the hotline owes its answer by the clock of the handover.
        resolve = next((c for kind in (ClockKind.RESOLVE, ClockKind.HANDOVER) for c in self.clocks_of(kind)), None)
        if resolve is None and self.case.state in (State.REPLIED, State.CALLBACK, State.MERGED):
            return  # met; the due time stays to order the reviewers' and callers' queues
        due = resolve.due_at if resolve else None
        provisional = bool(resolve and resolve.provisional)
        if due is not None and self.case.duplicate_count:
            due, provisional = families.earliest(self.case, due, provisional)
        if due != self.case.due_at or provisional != self.case.due_provisional:
            self.set(due_at=due, due_provisional=provisional)
        for assignment in self.assignments:
            first = assignment.state == "assigned"  # signing is what it owes first
            own = next(iter(self.clocks_of(ClockKind.SIGN_FOR if first else ClockKind.RESOLVE, assignment)), None)
            wanted = own.due_at if own else assignment.due_at if first else due
            if assignment.due_at != wanted:
                self.set_assignment(assignment, due_at=wanted)

    def _leave_family(self) -> uuid.UUID | None:
        """A merged case that goes its own way has no master any more; returns the one it had. A master that ends
        otherwise than by an answer leaves those under it to one of them."""
        case = self.case
        if self.row.action in ("close_handover", "close_with_master"):
            return None  # the outcome is everybody's answer
        if self._from_state == State.MERGED and self.to_state not in ("", State.MERGED, State.CALLBACK):
            left = case.master_id
            self.set(master_id=None)
            return left
        if case.duplicate_count and case.state in TERMINAL:
            self.set(duplicate_count=case.duplicate_count - families.merged_under(case.pk).count())
            return case.pk
        return None

    def commit(self, *, key: bytes | None, asked: bytes) -> Done:
        left = self._leave_family()
        answers.moved(self)
        self.settle_waiting()
        self._settle_due()
        self.rearm()
        from_state = self._from_state
        if self.row.bumps:
            self.case.version += 1
        for pk, columns in self._assignments.items():
            Assignment.objects.filter(pk=pk).update(**columns)
        for pk, columns in self._clocks.items():
            Clock.objects.filter(pk=pk).update(**columns)
        # New rows come after the old ones have ended: one lead, one running clock of a kind at a time.
        Assignment.objects.bulk_create(self._new_assignments)
        Clock.objects.bulk_create(self._new_clocks)
        if self._case or self.row.bumps:
            Case.objects.filter(pk=self.case.pk).update(**self._case, version=self.case.version)
        Event.objects.create(
            id=self.event_id, case=self.case, assignment_id=self.assignment_id, action=self.row.action, at=self.at,
            from_state=from_state, to_state=self.to_state or from_state, actor_kind=self.by.kind.value,
            actor_id=self.by.staff_id, unit_id=self._acting_unit(), via=self.by.via, public=self.row.public,
            version=self.case.version, changes=self._changes(), data=self.data,
            digests={name: digest_of(body) for name, body, _public in self.texts},
        )
        EventText.objects.bulk_create(
            EventText(event_id=self.event_id, case=self.case, field=name, body=body, public=public)
            for name, body, public in self.texts
        )
        request_ids.wrote(self.event_id)
        if key is not None:
            try:
                Submission.objects.create(key=key, fingerprint=asked, case=self.case, event_id=self.event_id)
            except IntegrityError:  # at the same moment, on another case
                raise Conflict(KEY_REUSED, code="key_reused") from None
        if self.row.announces:
            from .tasks import announce

            announce.defer(event_id=str(self.event_id))
        if left is not None or (self.case.duplicate_count and families.FOLLOWED & self._case.keys()):
            from .actions.merging import follow

            follow(self, left)
        handing_over.moved(self)
        for told in WRITTEN:
            told(self)
        return Done(self.case.pk, self.event_id, self.case.state, self.case.version)

    def _acting_unit(self) -> int | None:
        """For whom it was done: a clerk of two units acts for the one that holds the assignment."""
        return self.mine.unit_id if self.mine is not None and self.row.for_a_unit else self.by.unit_id

    def _changes(self) -> dict[str, Any]:
        assignments = {str(pk): {k: plain(v) for k, v in cols.items()} for pk, cols in self._assignments.items()}
        for made in self._new_assignments:
            assignments[str(made.pk)] = {name: plain(getattr(made, name)) for name in ASSIGNMENT_COLUMNS}
        timers = {
            str(pk): {k: plain(v) for k, v in cols.items() if k in CLOCK_COLUMNS} for pk, cols in self._clocks.items()
        }
        for clock in self._new_clocks:
            timers[str(clock.pk)] = {name: plain(getattr(clock, name)) for name in CLOCK_COLUMNS}
        changes: dict[str, Any] = {}
        if self._case:
            changes["case"] = {name: plain(value) for name, value in self._case.items()}
        if assignments:
            changes["assignments"] = assignments
        if timers:
            changes["clocks"] = timers
        return changes


CASE_COLUMNS = (
    "state", "kind", "urgency", "category_id", "area_id", "county_id", "lead_unit_id", "unit_ids", "round", "returns", "redone",
    "duplicate_count",
    "due_at", "due_provisional", "accepted_at", "closed_at", "outcome", "publication", "answer_publication", "paused",
    "for_supervisor", "supervised",
    "master_id", "linkage", "linked", "anonymised_at",
)
ASSIGNMENT_COLUMNS = (
    "unit_id", "role", "state", "officer_id", "assigned_at", "assigned_by_id", "signed_at", "contacted_at",
    "handled_at", "ended_at", "due_at", "rule_id", "against_catalogue",
)
CLOCK_COLUMNS = (
    "assignment_id", "kind", "round", "calendar", "limit_minutes", "started_at", "due_at", "provisional", "paused_at",
    "paused_minutes", "extended_minutes", "met_at", "stopped_at",
)


KEY_REUSED = _("这个提交编号已用于另一项内容，请换一个编号。")
# lock_not_available, deadlock_detected: someone else holds what is needed. The server's words may be in any language.
_HELD = frozenset({"55P03", "40P01"})


@contextmanager
def told_when_held() -> Iterator[None]:
    """Waiting for another's lock in vain becomes a Conflict that says so. Stands outside the transaction."""
    try:
        yield
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", None) not in _HELD:
            raise
        raise Conflict(
            _("另一位同事正在处理这件工单。您填的内容还在，请稍后再提交。"), code="held_by_another"
        ) from error


def _lock(case_id: uuid.UUID) -> Case:
    try:
        return Case.objects.select_for_update().get(pk=case_id)
    except Case.DoesNotExist:
        raise NotFound(_("没有找到这件工单。请核对编号。")) from None


def _hold(case_id: uuid.UUID) -> None:
    """Lock it and read nothing of it: of two writes with one key the later sees what the earlier wrote."""
    if not Case.objects.select_for_update().filter(pk=case_id).values_list("pk", flat=True):
        raise NotFound(_("没有找到这件工单。请核对编号。"))


def replayed(key: bytes | None, asked: bytes) -> Submission | None:
    """The earlier write with this key, if any. Raises Conflict when the key was used for something else."""
    if key is None:
        return None
    earlier = next(iter(Submission.objects.filter(key=key)), None)
    if earlier is not None and bytes(earlier.fingerprint) != asked:
        raise Conflict(KEY_REUSED, code="key_reused")
    return earlier


def fingerprint(asked: object) -> bytes:
    """What a write with a key was asked to do: a keyed hash, for from a plain one a telephone number in it could be found by trying
    them all."""
    return lookup_hash(repr(asked), purpose="submission")


def _fingerprint(name: str, case_id: uuid.UUID, fields: dict[str, Any]) -> bytes:
    """What was asked of a case. Files count by their number: sent again, the same photo has another id."""
    return fingerprint((name, case_id, sorted({k: len(list(v)) if k == "attachments" else v for k, v in fields.items()}.items())))


def _begin(name: str, on: On) -> Step:
    row = BY_ACTION[name]
    case = _lock(on.case_id)
    if not policy.can_see(on.by, case):
        raise NotFound(_("没有找到这件工单。请核对编号。"))
    assignments = list(Assignment.objects.filter(case=case, ended_at__isnull=True).order_by("assigned_at", "id"))
    mine = policy.own_assignment(on.by, families.acting(case, assignments), name)
    if on.version is not None and on.version != case.version and row.bumps:
        raise Conflict(
            _("在您填写的时候，这件工单有了变化。您填的内容还在，请看过变化再提交。"),
            current={"version": case.version, "state": case.state, "seen": on.version},
        )
    decision = policy.can(on.by, name, case, assignment=mine)
    if not decision:
        current = {"version": case.version, "state": case.state}
        if not row.leads_from(case.state):
            raise Conflict(decision.reason, code="wrong_state", current=current)
        if policy.held_by_an_offer(row, case):
            raise Conflict(decision.reason, code="handover_open", current=current)
        raise NotAllowed(decision.reason)
    running = list(Clock.objects.filter(case=case, met_at__isnull=True, stopped_at__isnull=True))
    # The machine's clock may be set back, and machines differ: within a case, time and the order of events go forward.
    last = Event.objects.filter(case=case).order_by("-id").values_list("id", "at")[0]
    step = Step(case=case, row=row, by=on.by, at=max(now(), last[1]), assignments=assignments, running=running,
                mine=mine, event_id=uuid7_after(last[0]))
    step._from_state = case.state
    if mine is not None and on.by.kind is Kind.STAFF:
        step.assignment_id = mine.pk
    return step


def action(name: str) -> Callable[[Callable[Concatenate[Step, P], None]], Callable[Concatenate[On, P], Done]]:
    """Make an action of a function that changes a case through a `Step`.

    Raises NotFound, NotAllowed, Conflict (someone was quicker, or the state does not allow it) and Invalid.
    """

    def decorate(body: Callable[Concatenate[Step, P], None]) -> Callable[Concatenate[On, P], Done]:
        @functools.wraps(body)
        def run(on: On, /, *args: P.args, **kwargs: P.kwargs) -> Done:
            asked = _fingerprint(name, on.case_id, kwargs) if on.key is not None else b""
            with told_when_held(), transaction.atomic():
                if BY_ACTION[name].leads_from(State.MERGED) and BY_ACTION[name].targets:
                    families.hold_master(on.case_id)
                if on.key is not None:
                    _hold(on.case_id)
                earlier = replayed(on.key, asked)
                if earlier is not None:
                    then = Event.objects.only("to_state", "version").get(pk=earlier.event_id)
                    return Done(earlier.case_id, then.pk, then.to_state, then.version, replayed=True)
                step = _begin(name, on)
                body(step, *args, **kwargs)
                return step.commit(key=on.key, asked=asked)

        run.__dict__["action"] = name  # by which the reference finds it
        return run

    return decorate


def followed_by(
    follow: Callable[[Done], Done | None]
) -> Callable[[Callable[Concatenate[On, P], Done]], Callable[Concatenate[On, P], Done]]:
    """Let an action be followed at once by another on the same case: two events, one transaction.

    `follow` gets what the first led to and returns what the second led to, or None when nothing follows. The write is
    answered with the last; sent again with its key, it is answered the same.
    """

    def decorate(run: Callable[Concatenate[On, P], Done]) -> Callable[Concatenate[On, P], Done]:
        @functools.wraps(run)
        def both(on: On, /, *args: P.args, **kwargs: P.kwargs) -> Done:
            with told_when_held(), transaction.atomic():
                first = run(on, *args, **kwargs)
                then = None if first.replayed else follow(first)
                if then is None:
                    return first
                if on.key is not None:
                    Submission.objects.filter(key=on.key).update(event_id=then.event_id)
                return then

        return both

    return decorate
