"""What a telephone sends of cases – reports, checks, replies – and what it is given of them."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from lianxin.cases import actions, checks, policy
from lianxin.cases.engine import Done, On
from lianxin.cases.files import claimed
from lianxin.cases.models import Assignment, Case, Channel, Check, EventText, State, Urgency
from lianxin.cases.narrative import standing
from lianxin.kernel.clock import now
from lianxin.kernel.errors import Conflict, Invalid, NotFound
from lianxin.kernel.ids import uuid7_floor

from .registry import Item, Worker, handles, section

REPORTS_SHOWN = timedelta(days=30)
MOST = 200  # rows of one section
TITLE = 40  # characters
NO_FILES: frozenset[str] = frozenset()

Said = Annotated[str, StringConstraints(max_length=10_000)]
Place = Annotated[str, StringConstraints(max_length=300)]
Lon = Annotated[float, Field(ge=-180, le=180)]
Lat = Annotated[float, Field(ge=-90, le=90)]
Service = Literal["", "110", "119", "120", "122"]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Settled(_Body):
    """Put right on the spot; `words` say how."""

    words: Annotated[str, StringConstraints(min_length=1, max_length=10_000)]


class Report(_Body):
    """What a grid worker found. With `settled` it was put right there and then and needs a photo `before` and one `after`;
    without, the hotline gets it. `lon`/`lat` are degrees in `coordinate_system`, `accuracy` metres as the device said;
    `emergency` is the service that was called."""

    words: Annotated[str, StringConstraints(min_length=1, max_length=10_000)]
    category: Annotated[str, StringConstraints(max_length=20)] = ""
    area: Annotated[str, StringConstraints(max_length=24)] = ""
    lon: Lon | None = None
    lat: Lat | None = None
    accuracy: Annotated[float, Field(ge=0, le=1_000_000)] | None = None
    coordinate_system: Literal["wgs84", "gcj02", "bd09"] = "wgs84"
    place_text: Place = ""
    urgent: bool = False
    emergency: Service = ""
    settled: Settled | None = None


class Addition(_Body):
    """More about what this worker reported: words, files, or both."""

    case: uuid.UUID
    words: Said = ""


class CheckAnswer(_Body):
    """核查结果. `check` is the task's id."""

    check: uuid.UUID
    handled: bool
    note: Said = ""
    lon: Lon | None = None
    lat: Lat | None = None
    accuracy: Annotated[float, Field(ge=0, le=1_000_000)] | None = None


class Signing(_Body):
    case: uuid.UUID
    version: int | None = None


class ContactMade(_Body):
    case: uuid.UUID
    means: Literal["phone", "visit", "meeting", "message", "not_left"]
    reached: bool
    contacted_at: AwareDatetime | None = None
    note: Said = ""


class Answer(_Body):
    """The unit's reply, by the grid worker it was given to. `version` is the case's that was seen."""

    case: uuid.UUID
    version: int | None = None
    public_answer: Annotated[str, StringConstraints(min_length=1, max_length=10_000)]
    solved: bool
    means: Literal["", "phone", "visit", "meeting", "message", "not_left"] = ""
    contacted_at: AwareDatetime | None = None
    private_note: Said = ""


def _whole(files: Iterable[uuid.UUID], case_id: uuid.UUID) -> None:
    """Raise Invalid unless every file now belongs to the case."""
    wanted = set(files)
    if wanted and not claimed(wanted, case_id):
        raise Invalid(_("有的文件没有收到，请重新发送。"), code="files_lost", fields={"files": str(_("请重新发送。"))})


def _on(worker: Worker, case_id: uuid.UUID, version: int | None = None) -> On:
    """What to act on. A case that was the worker's and is not any more is a conflict: what they wrote is kept for them to decide
    on, and nothing of the case is told. Raises NotFound for one that was never there."""
    if not Case.objects.filter(policy.visible_to(worker.actor), pk=case_id).exists() and Case.objects.filter(pk=case_id).exists():
        raise Conflict(_("这件事已经不由您办，可能改派了。您写的还在。"), code="not_yours")
    return On(case_id, worker.actor, version=version)


@contextmanager
def _telling(case_id: uuid.UUID) -> Iterator[None]:
    """A conflict on a case that is the worker's also says in words how it stands now."""
    try:
        yield
    except Conflict as error:
        if error.current:
            error.current |= _now_of(Case.objects.select_related("lead_unit").get(pk=case_id))
        raise


def _told(case_id: uuid.UUID, done: Done) -> dict[str, Any]:
    number = Case.objects.values_list("number", flat=True).get(pk=case_id)
    return {"case": str(case_id), "number": number, "state": done.state, "version": done.version}


@handles("report", Report, roles=frozenset({"before", "after", "report", "voice"}))
def report(worker: Worker, item: Item[Report]) -> dict[str, Any]:
    """Register it; then, in the same transaction, what was done on the spot or which emergency service was called."""
    said = item.said
    after = item.files.get("after", ())
    first = tuple(pk for role, ids in item.files.items() if said.settled is None or role != "after" for pk in ids)
    made = actions.register(by=worker.actor, intake=actions.Intake(
        words=said.words, channel=Channel.FIELD.value, category=said.category or None, area=said.area or None,
        lon=said.lon, lat=said.lat, coordinate_system=said.coordinate_system, place_text=said.place_text,
        urgency=Urgency.URGENT.value if said.urgent or said.emergency else None, attachments=first, made_at=item.at,
    ))
    _whole(first, made.case_id)
    told = {"case": str(made.case_id), "number": made.number, "state": made.state, "version": 1}
    if said.emergency:
        told |= _told(made.case_id, actions.refer_emergency(On(made.case_id, worker.actor), service=said.emergency))
    if said.settled is not None:
        told |= _told(made.case_id, actions.settle_on_the_spot(
            On(made.case_id, worker.actor), public_answer=said.settled.words, attachments=list(after)))
        _whole(after, made.case_id)
    return told


@handles("add", Addition, roles=frozenset({"report", "voice"}))
def add(worker: Worker, item: Item[Addition]) -> dict[str, Any]:
    """补充说明 to what was reported before."""
    said, files = item.said, item.every_file
    on = _on(worker, said.case)
    if not said.words.strip() and not files:
        raise Invalid(_("请写几句，或者加一张照片。"), fields={"words": str(_("请填写这一项。"))})
    done = None
    with _telling(said.case):
        if said.words.strip():
            done = actions.add_information(on, words=said.words)
        if files:
            done = actions.attach(on, attachments=list(files))
            _whole(files, said.case)
    assert done is not None
    return _told(said.case, done)


@handles("check", CheckAnswer, roles=frozenset({"proof"}))
def check(worker: Worker, item: Item[CheckAnswer]) -> dict[str, Any]:
    """What was seen. A check that was given to somebody else, or whose case has moved on, is a conflict."""
    said, files = item.said, item.every_file
    asked = Check.objects.filter(pk=said.check).select_related("case").first()
    if asked is None:
        raise NotFound(_("没有找到这次核查。"))
    if asked.worker_id != worker.staff_id or not asked.open or asked.case.state not in checks.CHECKED:
        raise Conflict(_("这次核查已经改派或不再需要。您写的还在。"), code="check_gone",
                       current=_now_of(asked.case) if asked.worker_id == worker.staff_id else {})
    done = actions.answer_check(On(asked.case_id, worker.actor), handled=said.handled, note=said.note, attachments=list(files),
                                lon=said.lon, lat=said.lat)
    _whole(files, asked.case_id)
    return _told(asked.case_id, done)


@handles("sign", Signing, roles=NO_FILES)
def sign(worker: Worker, item: Item[Signing]) -> dict[str, Any]:
    said = item.said
    on = _on(worker, said.case, said.version)
    with _telling(said.case):
        return _told(said.case, actions.sign(on))


@handles("contact", ContactMade, roles=NO_FILES)
def contact(worker: Worker, item: Item[ContactMade]) -> dict[str, Any]:
    """记录联系, at the time the worker says, else when it was written down."""
    said = item.said
    on = _on(worker, said.case)
    with _telling(said.case):
        return _told(said.case, actions.record_contact(
            on, means=said.means, reached=said.reached, note=said.note, contacted_at=said.contacted_at or item.at))


@handles("reply", Answer, roles=frozenset({"after", "proof"}))
def reply(worker: Worker, item: Item[Answer]) -> dict[str, Any]:
    said, files = item.said, item.every_file
    on = _on(worker, said.case, said.version)
    with _telling(said.case):
        done = actions.reply(
            on, public_answer=said.public_answer, solved=said.solved, private_note=said.private_note, means=said.means or None,
            contacted_at=said.contacted_at or (item.at if said.means else None), attachments=list(files))
    _whole(files, said.case)
    return _told(said.case, done)


def _now_of(case: Case) -> dict[str, Any]:
    return {"case": str(case.pk), "number": case.number, "state": case.state, "version": case.version, "standing": standing(case)}


def _moment(at: datetime | None) -> str | None:
    return None if at is None else localtime(at).isoformat()


def _of(case: Case) -> dict[str, Any]:
    """What a telephone shows of a case: the matter and the place, nobody's name or number."""
    place = " · ".join(part for part in (case.area.said if case.area else "", case.place_text) if part)
    return {
        "case": str(case.pk), "number": case.number, "title": case.title or case.words[:TITLE], "words": case.words,
        "place": place, "lon": case.lon, "lat": case.lat, "state": case.state, "version": case.version,
        "category": case.category.said if case.category else "",
        "field_matter": bool(case.category and case.category.field_matter), "urgent": case.urgency == Urgency.URGENT,
    }


# What finds personal data in words and blacks it out (`triage.apps`): who only looks at a place needs no telephone number.
BLACKED_OUT: list[Callable[[str], str]] = []


def _without_person(shown: dict[str, Any], *names: str) -> dict[str, Any]:
    for name in names:
        for black_out in BLACKED_OUT:
            shown[name] = black_out(shown[name])
    return shown


_SHOWN = ("category", "area", "lead_unit")


@section("tasks.cases")
def tasks_cases(worker: Worker) -> list[dict[str, Any]]:
    """Cases of the worker's town that were given to them by name."""
    held = Assignment.objects.filter(
        officer_id=worker.staff_id, ended_at__isnull=True, handled_at__isnull=True,
        case__state__in=(State.DISPATCHED, State.IN_HAND, State.OBJECTED),
    ).select_related(*(f"case__{name}" for name in _SHOWN), "unit").order_by("due_at", "id")[:MOST]
    return [
        _of(one.case) | {
            "id": str(one.pk), "kind": "case", "due_at": _moment(one.due_at), "unit": one.unit.said, "standing": standing(one.case),
            "signed": one.signed_at is not None, "contacted": one.contacted_at is not None,
            "lead": one.role == "lead", "objected": one.case.state == State.OBJECTED,
        } for one in held
    ]


@section("tasks.checks")
def tasks_checks(worker: Worker) -> list[dict[str, Any]]:
    """What the worker is asked to look at, with what the unit says it did; numbers and the like in the words are blacked out."""
    asked = list(checks.of_worker(worker.staff_id).select_related(*(f"case__{name}" for name in _SHOWN))[:MOST])
    wanted = dict(EventText.objects.filter(event__in=[one.event_id for one in asked], field="note").values_list("event_id", "body"))
    answers: dict[uuid.UUID, str] = {}
    for case_id, body in EventText.objects.filter(
            case__in=[one.case_id for one in asked], field="public_answer").order_by("event_id").values_list("case_id", "body"):
        answers[case_id] = body
    return [
        _without_person(_of(one.case), "title", "words") | {
            "id": str(one.pk), "kind": "check", "due_at": _moment(one.due_at), "asked": wanted.get(one.event_id, ""),
            "answer": answers.get(one.case_id, ""), "unit": one.case.lead_unit.said if one.case.lead_unit else "",
        } for one in asked
    ]


@section("reports")
def reports(worker: Worker) -> list[dict[str, Any]]:
    """What the worker reported in the last thirty days, the newest first, and where each stands."""
    since = uuid7_floor(now() - REPORTS_SHOWN)
    found = Case.objects.filter(registered_by_id=worker.staff_id, channel=Channel.FIELD, pk__gte=since).select_related(*_SHOWN)
    rows = list(found.order_by("-pk")[:MOST])
    answers: dict[uuid.UUID, str] = {}
    for case_id, body in EventText.objects.filter(
            case__in=[one.pk for one in rows], field__in=("public_answer", "explanation"), public=True,
    ).order_by("event_id").values_list("case_id", "body"):
        answers[case_id] = body
    return [
        _of(one) | {"id": str(one.pk), "registered_at": _moment(one.registered_at), "due_at": _moment(one.due_at),
                    "standing": standing(one), "unit": one.lead_unit.said if one.lead_unit else "", "answer": answers.get(one.pk, "")}
        for one in rows
    ]
