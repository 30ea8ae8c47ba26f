"""What people read of the link: offers that wait, offers they made, what a clock was missed on, the handovers of one case."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Case as When
from django.db.models import Exists, F, IntegerField, OuterRef, Q, QuerySet, Value
from django.db.models import When as If
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from pydantic import ValidationError

from lianxin.cases.models import Case, Event
from lianxin.cases.reference import reference
from lianxin.kernel.clock import now
from lianxin.kernel.crypto import KeyringError
from lianxin.kernel.errors import NotAllowed, NotFound
from lianxin.kernel.text import mask_name, mask_phone
from lianxin.organisations.actors import Actor, Kind

from . import policy
from .models import Direction, Disclosure, Handover, HandoverStep, Mapping, Matter, What
from .states import OPEN, UNDECIDED, HandoverState
from .steps import open_payload, words_of
from .wire import Offer

log = logging.getLogger(__name__)
SHOWN = 200  # of a list
RECENT = timedelta(hours=12)
UNSEEN = timedelta(minutes=15)
_IN, _OUT = Direction.IN.value, Direction.OUT.value
_STILL = [state.value for state in OPEN]
_ASKED = [state.value for state in UNDECIDED]


@dataclass(frozen=True, slots=True)
class Row:
    """One handover of a list. `seconds` is what is left on its clock (negative when missed, None when it has none); `words`, `place`
    and `said` are the offer's own: what was said, where, what the partner calls it. No caller's number or name."""

    handover: Handover
    seconds: int | None
    words: str = ""
    place: str = ""
    said: str = ""

    @property
    def late(self) -> bool:
        return self.seconds is not None and self.seconds < 0

    @property
    def case(self) -> Case | None:
        return self.handover.matter.case


@dataclass(frozen=True, slots=True)
class Told:
    """One line of a ledger: the step, and its words where this person may read them."""

    step: HandoverStep
    words: str


@dataclass(frozen=True, slots=True)
class Thread:
    """One handover with everything that happened to it, oldest first. `offer` is what a partner's offer said."""

    row: Row
    steps: tuple[Told, ...]
    disclosures: tuple[Disclosure, ...] = ()
    offer: Offer | None = None
    waits: int = 0

    @property
    def handover(self) -> Handover:
        return self.row.handover

    @property
    def caller(self) -> str:
        """Who called, as far as it is shown before somebody has taken the matter: never whole."""
        found = self.offer.caller if self.offer else None
        if found is None or not (found.name or found.phone):
            return ""
        return " ".join(part for part in (mask_name(found.name), mask_phone(found.phone) if found.phone else "") if part)


@dataclass(frozen=True, slots=True)
class Alarms:
    """What the desk should hear of: emergencies offered that nobody has looked at, emergencies of ours that were not taken, and
    missed clocks of either direction."""

    ringing: tuple[Row, ...] = ()
    refused: tuple[Row, ...] = ()
    late: tuple[Row, ...] = ()
    waiting: int = 0

    @property
    def all(self) -> tuple[Row, ...]:
        """The most pressing first."""
        return (*self.ringing, *self.refused, *self.late)

    @property
    def key(self) -> str:
        """Changes when something is added or goes away."""
        return ",".join(sorted(str(one.handover.pk)[-8:] for one in self.all))


def _allowed(by: Actor) -> None:
    if not policy.works(by):
        raise NotAllowed(_("联动由热线的话务员、派单员和督办员办理。"))


def _base() -> QuerySet[Handover]:
    return Handover.objects.select_related("matter__partner", "matter__case", "category", "follows")


def offer_of(handover: Handover) -> Offer | None:
    """What a partner's offer said; None when it was emptied, or is ours – or cannot be read: the log says so, the page goes on."""
    try:
        return open_payload(handover)
    except (KeyringError, ValidationError) as error:
        log.error("the offer of %s cannot be read: %s", handover.pk, type(error).__name__)
        return None


def _words(step: HandoverStep) -> str:
    """The words of a step; empty when no key opens them: the log says so, the page goes on."""
    try:
        return words_of(step)
    except KeyringError as error:
        log.error("the words of %s cannot be opened: %s", step.pk, error)
        return ""


def category_here(handover: Handover) -> str:
    """What a partner's matter would be here: the code it named of ours, else what the mapping makes of its own. Empty when neither
    is one of ours; looking is no miss of the mapping. At most one query."""
    offer = offer_of(handover)
    named = offer.category.theirs if offer is not None and offer.category is not None else ""
    node = reference().nodes_by_code.get(named)
    if node is not None and node.is_leaf and node.active:
        return named
    return Mapping.objects.filter(partner=handover.matter.partner, what=What.CATEGORY, inbound=True,
                                  theirs=handover.category_theirs).values_list("ours", flat=True).first() or ""


def _place(offer: Offer | None, case: Case | None) -> str:
    if offer is not None and offer.place is not None and offer.place.text:
        return offer.place.text
    return case.place_text if case is not None else ""


def _row(handover: Handover, at: datetime, offer: Offer | None = None) -> Row:
    case = handover.matter.case
    return Row(
        handover, int((handover.due_at - at).total_seconds()) if handover.due_at is not None else None,
        words=offer.words if offer is not None else case.words if case is not None else "", place=_place(offer, case),
        said=(offer.category.name or offer.category.code) if offer is not None and offer.category is not None else handover.category_theirs,
    )


def _incoming(found: Iterable[Handover], at: datetime) -> list[Row]:
    return [_row(one, at, offer_of(one)) for one in found]


def _in_turn(found: QuerySet[Handover]) -> QuerySet[Handover]:
    """Emergencies first, then what is due first."""
    return found.order_by("-emergency", F("due_at").asc(nulls_last=True), "offered_at")[:SHOWN]


def waiting(by: Actor) -> list[Row]:
    """Offers of partners that wait for this desk's answer. Two queries at most. Raises NotAllowed."""
    _allowed(by)
    return _incoming(_in_turn(_base().filter(direction=_IN, ended_at__isnull=True, state__in=_ASKED)), now())


def outgoing(by: Actor) -> list[Row]:
    """What this desk offered and the partner has not finished with, what is missed first. Raises NotAllowed."""
    _allowed(by)
    at = now()
    order = When(If(state__in=_ASKED, then=Value(0)), default=Value(1), output_field=IntegerField())
    found = _base().filter(direction=_OUT, ended_at__isnull=True, state__in=_STILL).annotate(undecided_first=order).order_by(
        "undecided_first", "-emergency", F("due_at").asc(nulls_last=True), "offered_at")[:SHOWN]
    return [_row(one, at) for one in found]


def under_way(by: Actor) -> list[Row]:
    """What this desk took from partners and has not reported the end of yet. Raises NotAllowed."""
    _allowed(by)
    at = now()
    found = _in_turn(_base().filter(direction=_IN, ended_at__isnull=True).exclude(state__in=_ASKED))
    return [_row(one, at) for one in found]


def lately(by: Actor) -> list[Row]:
    """What ended in the last twelve hours, newest first: refused, withdrawn, settled. Raises NotAllowed."""
    _allowed(by)
    at = now()
    found = _base().filter(offered_at__gte=at - timedelta(days=7), ended_at__gte=at - RECENT).order_by("-ended_at")[:30]
    return [_row(one, at, offer_of(one) if one.direction == _IN and one.matter.case is None else None) for one in found]


def alarms(by: Actor) -> Alarms:
    """What should be heard now. A missed clock stays an alarm until the state moves on or a telephone call is on record; an emergency
    that was not taken, until somebody here has done something about its case. Three queries. Raises NotAllowed."""
    _allowed(by)
    at = now()
    touched = Event.objects.filter(case=OuterRef("matter__case"), at__gt=OuterRef("decided_at"), actor_kind=Kind.STAFF.value)
    not_taken = _base().filter(
        ~Exists(touched), direction=_OUT, emergency=True, decided_at__gte=at - UNSEEN,
        state__in=[HandoverState.REFUSED.value, HandoverState.DEFAULTED.value]).order_by("-decided_at")[:SHOWN]
    open_in = Handover.objects.filter(direction=_IN, ended_at__isnull=True, state__in=_ASKED)
    heard = Q(due_at__lt=at) & (Q(phoned_at__isnull=True) | Q(phoned_at__lt=F("due_at")))
    found = list(_base().filter(ended_at__isnull=True).filter(
        heard | Q(direction=_IN, state=HandoverState.OFFERED.value, emergency=True)).order_by("-emergency", "due_at")[:SHOWN])
    rows = [_row(one, at) for one in found]
    return Alarms(
        ringing=tuple(row for row in rows if row.handover.direction == _IN and row.handover.state == HandoverState.OFFERED
                      and row.handover.emergency and not row.late),
        late=tuple(row for row in rows if row.late), waiting=open_in.count(), refused=tuple(_row(one, at) for one in not_taken))


def _told(steps: Iterable[HandoverStep]) -> tuple[Told, ...]:
    return tuple(Told(step, _words(step)) for step in steps)


def _threads(found: Sequence[Handover]) -> list[Thread]:
    at, ids = now(), [one.pk for one in found]
    steps: dict[uuid.UUID, list[HandoverStep]] = {pk: [] for pk in ids}
    for step in HandoverStep.objects.filter(handover__in=ids).select_related("staff").order_by("id"):
        steps[step.handover_id].append(step)
    shown: dict[uuid.UUID, list[Disclosure]] = {pk: [] for pk in ids}
    for given in Disclosure.objects.filter(handover__in=ids).order_by("id"):
        shown[given.handover_id].append(given)
    made = []
    for one in found:
        offer = offer_of(one) if one.direction == _IN else None
        made.append(Thread(_row(one, at, offer), _told(steps[one.pk]), tuple(shown[one.pk]), offer))
    return made


def of_case(case: Case) -> list[Thread]:
    """The handovers of a case, for whoever may see the case, newest first; those of its master while it is merged. Three queries
    where there are any, one where there are none."""
    subject = case.master_id if case.master_id is not None else case.pk
    found = list(_base().filter(matter__case_id=subject).order_by("-offered_at"))
    return _threads(found) if found else []


def one(by: Actor, handover_id: uuid.UUID) -> Thread:
    """One handover with its ledger. Raises NotAllowed and NotFound."""
    _allowed(by)
    found = _base().filter(pk=handover_id).first()
    if found is None:
        raise NotFound(_("没有这次移交。"))
    return _threads([found])[0]


def matter_threads(by: Actor, matter: Matter, *, but: uuid.UUID) -> list[Thread]:
    """The other handovers of a matter, newest first: what went back and forth before. Raises NotAllowed."""
    _allowed(by)
    return _threads(list(_base().filter(matter=matter).exclude(pk=but).order_by("-offered_at")))


@dataclass(frozen=True, slots=True)
class Standing:
    """How one handover stands in words, for the call screen: state, and how many seconds the partner took to look."""

    handover: Handover
    words: str | Promise
    mood: str
    seconds: int | None = field(default=None)


def standing(handover: Handover) -> Standing:
    """For a page that waits for a partner's answer."""
    looked = handover.acknowledged_at
    seconds = max(0, round((looked - handover.offered_at).total_seconds())) if looked is not None else None
    moods: dict[Any, str] = {
        HandoverState.OFFERED: "", HandoverState.ACKNOWLEDGED: "accent", HandoverState.NEGOTIATING: "amber",
        HandoverState.REFUSED: "vermilion", HandoverState.DEFAULTED: "vermilion", HandoverState.WITHDRAWN: "",
        HandoverState.WITHDRAWING: "amber",
    }
    return Standing(handover, handover.get_state_display(), moods.get(handover.state, "green"), seconds)
