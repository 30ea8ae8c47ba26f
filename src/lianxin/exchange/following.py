"""What happens to a case here, told to the systems that have it: it is given to a unit that has one, taken from it, ended, added to.

One hook on every action, in its transaction. It asks the database only where an action gave a part out or ended one, or the case came
from another platform.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import override

from lianxin.cases import narrative
from lianxin.cases.engine import Step
from lianxin.cases.models import TERMINAL, Assignment, Case, Event, EventText, State
from lianxin.cases.reference import reference
from lianxin.places.models import Area

from . import disclosing, georeport, mapping, outbox, photos
from .models import Letter, Link, Settled, Sort, System, SystemKind

TOLD_BACK = frozenset({"accept", "dispatch", "redispatch", "approve", "answer_on_the_spot", "reopen", "reopen_unsolved",
                       "settle_on_the_spot"})
LONGEST_ADDRESS = 300


def written(step: Step) -> None:
    """The hook."""
    if step.given:
        _given(step)
    if step.ended_parts:
        _ended(step)
    if step.row.action == "add_information":
        _added(step)
    if step.row.action == "attach":
        _attached(step)
    if step.row.action in ("reply", "assist_reply") and step.mine is not None:
        _settled(step)
    if step.case.source_system and (step.row.action in TOLD_BACK or step.case.state in TERMINAL):
        _told_back(step)


# ── To a unit's own system ───────────────────────────────────────────────────────────────────────────────────────────────


def _given(step: Step) -> None:
    systems = {one.unit_id: one for one in System.objects.filter(
        active=True, kind=SystemKind.UNIT, unit__in=[part.unit_id for part in step.given])}
    for part in step.given:
        system = systems.get(part.unit_id)
        if system is not None:
            send(system, step.case, part, staff_id=step.by.staff_id)


def send(system: System, case: Case, part: Assignment, *, staff_id: int | None) -> Link:
    """Put a case that a unit was given into the outbox to its system, in the caller's transaction."""
    turn = Link.objects.filter(system=system, case=case).count() + 1
    link = Link.objects.create(system=system, case=case, assignment=part, turn=turn)
    fields = _request(system, case, mark_of(link))
    person = disclosing.person_of(system, case)
    letter = outbox.put(link, Sort.REQUEST, fields | person)
    photos.put(link, letter, photos.to_send(link), staff_id=staff_id)
    disclosing.record(link, person, case=case, staff_id=staff_id)
    return link


def mark_of(link: Link) -> str:
    """By what a request of ours is found again in another system: the case's number and which request of it this is."""
    return f"〔12345 {link.case.number}/{link.turn}〕"


def _request(system: System, case: Case, mark: str) -> dict[str, str]:
    """A case as GeoReport asks for it. The service is put in when it is sent: by then somebody may have mapped it."""
    words = disclosing.words_of(system, case, f"{case.title}\n{case.words}" if case.title else case.words)
    room = georeport.DESCRIPTION - len(mark) - 2
    said = {"description": f"{words if len(words) <= room else words[: room - 1] + '…'}\n{mark}", **_where(case)}
    return {name: value for name, value in said.items() if value}


def _where(case: Case) -> dict[str, str]:
    area = Area.objects.filter(pk=case.area_id).first() if case.area_id is not None else None
    held = reference()
    names: list[str] = []
    if area is not None and area.pk in held.places:
        names = [held.places[pk].name for pk in reversed(held.places[area.pk].lineage) if pk in held.places]
    lon, lat = (case.lon, case.lat) if case.lon is not None else (area.lon, area.lat) if area is not None else (None, None)
    address = " ".join(part for part in ("".join(names), case.place_text) if part)[:LONGEST_ADDRESS]
    place = {"lat": f"{lat:.6f}", "long": f"{lon:.6f}"} if lon is not None and lat is not None else {}
    return {"address_string": address, **place}


def service_of(link: Link) -> dict[str, str]:
    """The service of a case in its system, with the attributes that always go with it; empty where nothing maps the category."""
    node = reference().nodes.get(link.case.category_id) if link.case.category_id is not None else None
    line = mapping.theirs(link.system, node.code) if node is not None else None
    if line is None:
        return {}
    return {"service_code": line.theirs, **{f"attribute[{code}]": str(value) for code, value in line.attributes.items()}}


def open_links(**which: Any) -> list[Link]:
    return list(Link.objects.select_for_update(of=("self",)).select_related("system", "case").filter(ended_at__isnull=True, **which))


def _ended(step: Step) -> None:
    """A unit's part is over: its system is told, and no longer asked. What never went out goes nowhere."""
    for link in open_links(incoming=False, assignment__in=[part.pk for part in step.ended_parts]):
        link.ended_at = step.at
        if link.proposal is not None and not link.settled:
            link.settled, link.settled_at, link.settled_by_id = Settled.ASIDE.value, step.at, step.by.staff_id
        link.save(update_fields=["ended_at", "settled", "settled_at", "settled_by"])
        if not outbox.drop(link) and link.system.updates:
            with override(settings.LANGUAGE_CODE):
                words = _("12345 热线：这件工单在热线已经结束（%(state)s），不用再办。") if step.case.state in TERMINAL else _(
                    "12345 热线：这件工单已改由其他单位办理，不用再办。")
                words = words % {"state": step.case.get_state_display()} if step.case.state in TERMINAL else words
            _update(link, georeport.CLOSED, words, step)


def _added(step: Step) -> None:
    words = _said(step, "words")
    parts = [part.pk for part in step.assignments]
    for link in open_links(incoming=False, assignment__in=parts) if words and parts else ():
        if link.system.updates:
            _update(link, georeport.OPEN, disclosing.words_of(link.system, step.case, words), step)


def _attached(step: Step) -> None:
    """Photos that came later go after the request."""
    parts = [part.pk for part in step.assignments]
    for link in open_links(incoming=False, assignment__in=parts) if parts else ():
        chosen = photos.to_send(link, event_id=step.event_id) if link.system.updates else []
        if chosen:
            with override(settings.LANGUAGE_CODE):
                letter = _update(link, georeport.OPEN, _("补充照片 %d 张。") % len(chosen), step)
            photos.put(link, letter, chosen, staff_id=step.by.staff_id)


def _settled(step: Step) -> None:
    """The unit has answered: what its system had said of the end is no longer waiting."""
    assert step.mine is not None
    Link.objects.filter(assignment_id=step.mine.pk, proposal__isnull=False, settled="").update(
        settled=Settled.REPLIED, settled_at=step.at, settled_by_id=step.by.staff_id)


def _update(link: Link, status: str, words: str, step: Step) -> Letter:
    return outbox.put(link, Sort.UPDATE, {
        "update_id": str(step.event_id), "updated_datetime": georeport.stamp(step.at), "status": status,
        "description": words[: georeport.DESCRIPTION]})


def _said(step: Step, *names: str) -> str:
    return next((body for name in names for field, body, _public in step.texts if field == name), "")


# ── Back to the platform a case came from ────────────────────────────────────────────────────────────────────────────────


def _told_back(step: Step) -> None:
    for link in open_links(incoming=True, case=step.case):
        ended = step.case.state in TERMINAL
        if ended:
            link.ended_at = step.at
            link.save(update_fields=["ended_at"])
        elif step.case.state == State.MERGED:
            continue
        if link.system.updates:
            _update(link, georeport.CLOSED if ended else georeport.OPEN, _public_words(step), step)


def _public_words(step: Step) -> str:
    """What the reporter is told of this step, in the city's language; with the public answer where there is one."""
    with override(settings.LANGUAGE_CODE):
        event = Event.objects.select_related("unit", "actor").get(pk=step.event_id)
        sentence = narrative.said(event, internal=False)
    answer = _said(step, "public_answer", "explanation")
    if not answer and step.row.action == "approve":
        answer = EventText.objects.filter(case=step.case, field="public_answer", anonymised_at__isnull=True).order_by(
            "-event_id").values_list("body", flat=True).first() or ""
    return f"{sentence}{answer}" if answer else sentence
