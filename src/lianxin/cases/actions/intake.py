"""Registering cases: one at a time in a single statement, or many through COPY – the same rows either way.

`rows_for` checks an `Intake` and makes every row it writes: reporter, case, events, clocks, message job.
`register` sends them as one SQL statement, `writing.register_many` as COPY. Both write in one transaction.
"""

from __future__ import annotations

import hashlib
import threading
import uuid
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _

from lianxin.kernel import coordinates, request_ids
from lianxin.kernel.clock import now
from lianxin.kernel.crypto import encrypt, keyring, lookup_hash, tracking_digest
from lianxin.kernel.errors import Invalid, NotAllowed
from lianxin.kernel.ids import case_number, tracking_code, uuid7
from lianxin.kernel.text import clean_text, phone_normalise
from lianxin.organisations.actors import Actor
from lianxin.places.locate import locate

from .. import clocks, notices, policy
from ..engine import CLOCK_COLUMNS, fingerprint, plain, replayed, told_when_held
from ..models import Attachment, Channel, Clock, ClockKind, Kind, State, Urgency
from ..reference import Reference, reference
from .history import check_times, closed_by_import, text_row
from .writing import Rows, hexed, write_one

WORDS_LIMIT = 12_000
SERIAL_BLOCK = 20
# `values` of an enumeration is made anew each time.
CHANNELS, KINDS, URGENCIES = frozenset(Channel.values), frozenset(Kind.values), frozenset(Urgency.values)


@dataclass(frozen=True, slots=True)
class History:
    """What the source of an import knows of a case's later life: when it was due and when and how it was closed."""

    target_at: datetime | None = None
    closed_at: datetime | None = None
    closing_note: str = ""


@dataclass(frozen=True, slots=True)
class Intake:
    """What a resident, operator, grid worker or partner says. `lon`/`lat` are degrees in `coordinate_system`.

    `category` and `area` are codes. With `accept` the case is accepted in the same breath: for staff who have
    heard the matter and named its category. `registered_at` and `history` are for imports only. `made_at` is when it was
    written down where there was no network; the clocks run from when it arrived.
    """

    words: str
    channel: str = Channel.WEB.value
    title: str = ""
    category: str | None = None
    area: str | None = None
    place_text: str = ""
    lon: float | None = None
    lat: float | None = None
    coordinate_system: str = "wgs84"
    kind: str | None = None
    urgency: str | None = None
    name: str = ""
    phone: str = ""
    address: str = ""
    email: str = ""
    language: str = "zh-hans"
    confidential: bool = False
    message_consent: bool = True
    publication_title: str = ""
    publication_body: str = ""
    accept: bool = False
    outside_allowed: bool = False
    registered_at: datetime | None = None
    source_system: str = ""
    source_id: str = ""
    history: History | None = None
    made_at: datetime | None = None
    attachments: tuple[uuid.UUID, ...] = ()


@dataclass(frozen=True, slots=True)
class Registered:
    """What to tell the reporter: the number to say on the phone, the code that opens the tracking page."""

    case_id: uuid.UUID
    number: str
    tracking_code: str
    state: str
    due_at: datetime | None
    due_provisional: bool
    replayed: bool = False


class _Serials:
    """Case serials, taken from the sequence in blocks: a number costs no round trip. Gaps are harmless."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._free: list[int] = []

    def take(self) -> int:
        with self._lock:
            if not self._free:
                with connection.cursor() as cursor:
                    cursor.execute("SELECT nextval('cases_serial')")
                    first = int(cursor.fetchone()[0])
                self._free = list(range(first + SERIAL_BLOCK - 1, first - 1, -1))
            return self._free.pop()

    def forget(self) -> None:
        with self._lock:
            self._free.clear()


serials = _Serials()


def _checked_words(intake: Intake) -> str:
    body = clean_text(intake.words, max_length=WORDS_LIMIT + 1, multiline=True)
    if not body:
        raise Invalid(_("请写下您要说的事。"), fields={"words": str(_("请写下您要说的事。"))})
    if len(body) > WORDS_LIMIT:
        raise Invalid(
            _("内容太长，最多 12000 字。请删减后再提交，已填的内容都在。"), fields={"words": str(_("内容太长。"))}
        )
    return body


def _place(intake: Intake, held: Reference) -> tuple[int | None, int | None, float | None, float | None]:
    """Area, county and WGS-84 position; raises Invalid for a half position, an unknown area, a place elsewhere."""
    lon, lat = intake.lon, intake.lat
    area_id = county_id = None
    if (lon is None) != (lat is None):
        raise Invalid(_("位置不完整，请重新选择地点。"), fields={"lon": str(_("经度和纬度要一起填。"))})
    if intake.area:
        place = held.places_by_code.get(intake.area)
        if place is None:
            raise Invalid(_("没有这个地点，请从列表中选择。"), fields={"area": str(_("没有这个地点。"))})
        area_id, county_id = place.id, place.county_id
    if lon is not None and lat is not None:
        try:
            lon, lat = coordinates.to_wgs84(lon, lat, coordinates.CoordinateSystem(intake.coordinate_system))
        except ValueError:
            raise Invalid(
                _("位置的坐标不对，请重新选择地点。"), fields={"lon": str(_("坐标或坐标系不对。"))}
            ) from None
        hit = locate(lon, lat)
        if hit.inside is False and not intake.outside_allowed:
            raise Invalid(
                _("这个位置不在本市范围内。请在地图上重新选，或只选乡镇和村社区。"),
                fields={"lon": str(_("位置不在本市。"))},
            )
        if area_id is None and hit.area_id is not None:
            found = held.places[hit.area_id]
            area_id, county_id = found.id, found.county_id
    return area_id, county_id, lon, lat


def _reporter(intake: Intake, at: datetime) -> dict[str, Any] | None:
    values = {
        "name": clean_text(intake.name, max_length=60, multiline=False),
        "phone": phone_normalise(clean_text(intake.phone, max_length=40, multiline=False)),
        "address": clean_text(intake.address, max_length=200, multiline=False),
        "email": clean_text(intake.email, max_length=200, multiline=False),
    }
    if values["phone"] and not 5 <= len(values["phone"].lstrip("+")) <= 20:
        raise Invalid(_("电话号码不对，请核对；也可以不留。"), fields={"phone": str(_("请核对号码。"))})
    if values["email"] and "@" not in values["email"]:
        raise Invalid(_("邮箱地址不对，请核对；也可以不留。"), fields={"email": str(_("请核对邮箱。"))})
    if not any(values.values()):
        return None
    pk = uuid7()
    sealed = {
        name: hexed(encrypt(value, context=f"reporter:{pk}:{name}")) if value else None
        for name, value in values.items()
    }
    return {
        "id": str(pk),
        **sealed,
        "phone_hash": hexed(lookup_hash(values["phone"], purpose="phone")) if values["phone"] else None,
        "language": intake.language,
        "message_consent": intake.message_consent,
        "retention_class": "reporter",
        "created_at": at.isoformat(),
        "anonymised_at": None,
    }


def _elements(intake: Intake, held: Reference) -> tuple[int | None, str, str]:
    category_id = None
    kind, urgency = Kind.HELP.value, Urgency.NORMAL.value
    if intake.category:
        node = held.nodes_by_code.get(intake.category)
        if node is None or not node.is_leaf or not node.active:
            raise Invalid(_("请选择最细一级的事项。"), fields={"category": str(_("请选择最细一级的事项。"))})
        category_id, kind, urgency = node.id, node.kind, node.urgency
    if intake.kind:
        kind = intake.kind
    if intake.urgency:
        urgency = intake.urgency
    if kind not in KINDS or urgency not in URGENCIES:
        raise Invalid(_("诉求类型或紧急程度不对。"), fields={"kind": str(_("请从列表中选择。"))})
    return category_id, kind, urgency


def _event(case_id: uuid.UUID, by: Actor, at: datetime, *, action: str, from_state: str, to_state: str,
           version: int, changes: dict[str, Any], data: dict[str, Any], public: bool = True,
           digests: dict[str, str] | None = None) -> dict[str, Any]:
    return {
        "id": str(uuid7()), "case_id": str(case_id), "assignment_id": None, "action": action, "at": at.isoformat(),
        "from_state": from_state, "to_state": to_state, "actor_kind": by.kind.value, "actor_id": by.staff_id,
        "unit_id": by.unit_id, "via": by.via, "public": public, "version": version, "changes": changes, "data": data,
        "digests": digests or {},
    }


def _clock(case_id: uuid.UUID, kind: ClockKind, made: clocks.Promise, *, held: Reference, urgency: str) -> dict[str, Any]:
    clock = Clock(kind=kind.value, calendar=made.calendar, limit_minutes=made.limit_minutes, started_at=made.started_at,
                  due_at=made.due_at)
    next_at = notices.next_of(held, clock, urgency=urgency)
    return {
        "id": str(uuid7()), "case_id": str(case_id), "assignment_id": None, "missed_call_id": None, "kind": kind.value, "round": 1,
        "calendar": made.calendar, "limit_minutes": made.limit_minutes, "started_at": made.started_at.isoformat(),
        "due_at": made.due_at.isoformat(), "provisional": made.provisional, "paused_at": None, "paused_minutes": 0,
        "extended_minutes": 0, "met_at": None, "stopped_at": None, "next_at": plain(next_at),
    }


def _promises(intake: Intake, held: Reference, data: dict[str, Any], *, category_id: int | None, kind: str, urgency: str, at: datetime,
              recorded: datetime) -> tuple[clocks.Promise, clocks.Promise]:
    """First contact and answer: the due times under the limits in force when the case was registered; the answer's as another system
    has promised it, where one has. What they rest on besides is put into the event's `data`."""
    try:
        limits = clocks.limits_of_case(held, category_id=category_id, kind=kind, urgency=urgency, at=at)
    except LookupError:
        if intake.registered_at is None:
            raise
        # Older than the city's table of limits: today's limits stand, and the event says so.
        limits = clocks.limits_of_case(held, category_id=category_id, kind=kind, urgency=urgency, at=recorded)
        data["limits_of"] = localtime(recorded).date().isoformat()
    contact = clocks.promise(start=at, minutes=limits.first_contact, calendar=limits.calendar)
    if intake.history is not None and intake.history.target_at is not None:
        data["due_from"] = intake.source_system
        return contact, clocks.promise_until(start=at, due_at=intake.history.target_at)
    return contact, clocks.promise(start=at, minutes=limits.resolve, calendar=limits.calendar)


def _state_columns(resolve: clocks.Promise, **elements: Any) -> dict[str, Any]:
    """The state columns of a case that has just been registered (`engine.CASE_COLUMNS`): `elements` are what it is about and where."""
    return {
        "state": State.REGISTERED.value, **elements, "lead_unit_id": None, "unit_ids": [], "round": 1, "returns": 0, "redone": 0,
        "duplicate_count": 0, "due_at": plain(resolve.due_at), "due_provisional": resolve.provisional, "accepted_at": None,
        "closed_at": None, "outcome": "", "publication": "private", "answer_publication": None, "paused": False,
        "for_supervisor": False, "supervised": 0, "master_id": None, "linkage": "", "linked": False, "anonymised_at": None,
    }


def _close_imported(rows: Rows, history: History, case_id: uuid.UUID, columns: dict[str, Any], *, by: Actor, source: str) -> None:
    """The end that a case had in the system it comes from: on its columns and clocks, as an event, in that system's words."""
    assert history.closed_at is not None
    closing, note = closed_by_import(case_id, columns, rows.clocks, closed_at=history.closed_at, note=history.closing_note)
    rows.events.append(
        _event(case_id, by, history.closed_at, action="close_imported", from_state=State.ACCEPTED.value,
               to_state=State.CLOSED.value, version=3, changes=closing, data={"source": source},
               digests={"explanation": hashlib.sha256(note.encode()).hexdigest()} if note else None)
    )
    if note:
        rows.texts.append(text_row(case_id, rows.events[-1]["id"], "explanation", note))


def rows_for(intake: Intake, *, by: Actor) -> tuple[Rows, Registered]:
    """Check one intake and make its rows. Raises Invalid with every field's fault in the reporter's words."""
    held = reference()
    recorded = now()
    at = intake.registered_at or recorded
    body = _checked_words(intake)
    category_id, kind, urgency = _elements(intake, held)
    if intake.registered_at is not None or intake.history is not None:
        check_times(at, intake.history, recorded, accepted=intake.accept)
    if intake.accept and category_id is None:
        raise Invalid(_("受理须先选事项。"), fields={"category": str(_("请选择事项。"))})
    if intake.channel not in CHANNELS:
        raise Invalid(_("渠道不对。"), fields={"channel": str(_("请从列表中选择。"))})
    area_id, county_id, lon, lat = _place(intake, held)
    reporter = _reporter(intake, recorded)
    data: dict[str, Any] = {"channel": intake.channel}
    if intake.made_at is not None:
        data["made_at"] = min(intake.made_at, recorded).isoformat()
    if intake.source_system:
        data |= {"source": intake.source_system, "imported_at": recorded.isoformat()}
    contact, resolve = _promises(intake, held, data, category_id=category_id, kind=kind, urgency=urgency, at=at, recorded=recorded)
    case_id = uuid7()
    number = case_number(localtime(at).year, serials.take())
    code = tracking_code(keyring().tracking, case_id)
    timers = [
        _clock(case_id, duty, made, held=held, urgency=urgency)
        for duty, made in ((ClockKind.FIRST_CONTACT, contact), (ClockKind.RESOLVE, resolve))
    ]
    columns = _state_columns(resolve, kind=kind, urgency=urgency, category_id=category_id, area_id=area_id, county_id=county_id)
    rows = Rows(case={}, reporter=[reporter] if reporter else [], clocks=timers)
    rows.events.append(
        _event(
            case_id, by, at, action="register", from_state="", to_state=State.REGISTERED.value, version=1,
            changes={
                "case": dict(columns),
                "clocks": {row["id"]: {k: row[k] for k in CLOCK_COLUMNS} for row in timers},
            },
            data=data,
            digests={"words": hashlib.sha256(body.encode()).hexdigest()},
        )
    )
    if intake.accept:
        accepted = {"state": State.ACCEPTED.value, "accepted_at": at.isoformat()}
        columns.update(accepted)
        rows.events.append(
            _event(case_id, by, at, action="accept", from_state=State.REGISTERED.value,
                   to_state=State.ACCEPTED.value, version=2, changes={"case": accepted}, data={})
        )
    if intake.history is not None and intake.history.closed_at is not None:
        _close_imported(rows, intake.history, case_id, columns, by=by, source=intake.source_system)
    rows.case = {
        "id": str(case_id), "number": number, "tracking_digest": hexed(tracking_digest(code)),
        "channel": intake.channel, "title": clean_text(intake.title, max_length=200, multiline=False), "words": body,
        "language": intake.language, "reporter_id": reporter["id"] if reporter else None,
        "confidential": intake.confidential,
        "place_text": clean_text(intake.place_text, max_length=300, multiline=False), "lon": lon, "lat": lat,
        "cell": coordinates.cell(lon, lat) if lon is not None and lat is not None else None,
        "registered_at": at.isoformat(), "registered_by_id": by.staff_id, "source_system": intake.source_system,
        "source_id": intake.source_id, **columns, "version": len(rows.events),
    }
    if reporter and reporter["phone"] and intake.message_consent and not intake.source_system:
        rows.jobs.append({"event_id": rows.events[0]["id"]})
    due_at = None if columns["state"] == State.CLOSED else resolve.due_at
    return rows, Registered(case_id, number, code, columns["state"], due_at, due_at is not None and resolve.provisional)


def _again(case_id: uuid.UUID) -> Registered:
    from ..models import Case

    case = Case.objects.only("number", "state", "due_at", "due_provisional").get(pk=case_id)
    return Registered(case.pk, case.number, tracking_code(keyring().tracking, case.pk), case.state, case.due_at,
                      case.due_provisional, replayed=True)


def register(*, intake: Intake, by: Actor, key: bytes | None = None) -> Registered:
    """登记. With `key`, the same intake sent again makes no second case and is answered the same.

    Raises Invalid, NotAllowed, and Conflict when the key was used for something else. The tracking code is left out for
    those who may not hear it (`policy.may_hear_code`): the reporter has it by message.
    """
    made = _register(intake=intake, by=by, key=key)
    return made if policy.may_hear_code(by) else replace(made, tracking_code="")


def _register(*, intake: Intake, by: Actor, key: bytes | None) -> Registered:
    decision = policy.can_register(by)
    if not decision or not by.scoped("register"):
        raise NotAllowed(decision.reason or _("这个接口令牌没有这一步的权限。"))
    if intake.accept:
        decision = policy.can_accept_at_once(by)
        if not decision:
            raise NotAllowed(decision.reason)
    if intake.history is not None:
        raise AssertionError("a case with a past is written by register_many")
    asked = fingerprint(intake) if key is not None else b""
    rows, registered = rows_for(intake, by=by)
    submission = None
    if key is not None:
        submission = {
            "key": hexed(key), "fingerprint": hexed(asked), "case_id": rows.case["id"],
            "event_id": rows.events[0]["id"], "at": rows.events[0]["at"],
        }
    follow_up = bool(intake.attachments or intake.publication_body)
    try:
        if follow_up:
            with told_when_held(), transaction.atomic():
                write_one(rows, submission)
                _follow_up(intake, by, registered.case_id, uuid.UUID(rows.events[0]["id"]))
        else:
            # A savepoint only inside an outer transaction, so that a replay can be answered there too.
            answerable = connection.in_atomic_block and (key is not None or bool(intake.source_system))
            with told_when_held(), transaction.atomic() if answerable else nullcontext():
                write_one(rows, submission)
    except IntegrityError as error:
        earlier = replayed(key, asked)
        if earlier is not None:
            return _again(earlier.case_id)
        if "case_source_once" in str(error):
            raise Invalid(_("这条记录已经导入过。"), code="imported_already",
                          fields={"source_id": str(_("重复。"))}) from error
        raise
    request_ids.wrote(rows.events[0]["id"])
    return registered


def _follow_up(intake: Intake, by: Actor, case_id: uuid.UUID, event_id: uuid.UUID) -> None:
    from lianxin.organisations.actors import Kind as ActorKind
    from lianxin.organisations.actors import reporter_for

    from ..engine import On
    from .reporting import attach, request_publication

    actor = reporter_for(case_id, via=by.via) if by.kind is ActorKind.REPORTER else by
    if intake.attachments:
        if by.kind is ActorKind.STAFF:
            Attachment.objects.filter(pk__in=intake.attachments, case__isnull=True,
                                      uploaded_by_id=by.staff_id).update(case_id=case_id, event_id=event_id,
                                                                         purpose="report")
        else:
            attach(On(case_id, actor), attachments=intake.attachments, purpose="report")
    if intake.publication_body:
        request_publication(On(case_id, actor), title=intake.publication_title or intake.title or intake.words[:40],
                            body=intake.publication_body)
