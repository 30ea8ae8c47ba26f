"""The emergency key: the telephone first, then the case with the words so far, then the offer; what is typed later follows.

Nothing here waits for a form. What is wrong in a field leaves that field out, never the emergency; what cannot be sent to a partner
is written down as a call put through by hand, and the operator is told to dial.
"""

from __future__ import annotations

import hashlib
import logging
import uuid
from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields, replace
from typing import Any

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, override

from lianxin.cases.actions import (
    Intake,
    add_information,
    add_reporter,
    correct,
    offer_handover,
    refer_emergency,
    register,
)
from lianxin.cases.engine import On, submission_key
from lianxin.cases.models import Case, Submission, Urgency
from lianxin.cases.queries import access_case
from lianxin.cases.reference import reference
from lianxin.kernel.errors import Conflict, DomainError, Invalid, NotFound
from lianxin.organisations.actors import Actor
from lianxin.telephony import commands, popping
from lianxin.telephony.commands import Commanded

from .models import Direction, Handover, Partner
from .states import NOT_TAKEN

log = logging.getLogger(__name__)
SERVICES = ("110", "119", "120")
_DEFAULTS: dict[str, Any] = {one.name: one.default for one in fields(Intake) if one.default is not MISSING}


@dataclass(frozen=True, slots=True)
class Pressed:
    """What one press did. `handover` is None when the service has no desk that is linked: then the operator speaks for themselves,
    and `why` says so. `code` is the tracking code, known to the press that registered the case only."""

    case_id: uuid.UUID
    number: str
    service: str
    phone: Commanded | None
    handover: Handover | None
    why: str | Promise = ""
    code: str = ""


def partner_for(service: str) -> Partner | None:
    """The linked desk behind a number people dial. One query."""
    return Partner.objects.filter(service=service, active=True).exclude(url="").first()


def _key(by: Actor, submission: str, *parts: str) -> bytes:
    return submission_key("call-emergency", str(by.staff_id), submission, *parts)


def ring(by: Actor, service: str) -> Commanded | None:
    """Tell the telephone system, which says at once what it does. None for who is no person."""
    return commands.emergency(by.staff_id, service) if by.staff_id is not None else None


def case_of(by: Actor, submission: str) -> uuid.UUID | None:
    """The case that this person's emergency key has registered from the form named `submission`."""
    if not submission:
        return None
    return Submission.objects.filter(key=_key(by, submission)).values_list("case_id", flat=True).first()


def _stand_in() -> str:
    """Words of a case that was registered before anything was typed."""
    with override(settings.LANGUAGE_CODE):
        return _("紧急来电，话务员按下紧急键时还没有写下内容；随后补充。")


def _registered(by: Actor, intake: Intake, submission: str) -> tuple[uuid.UUID, str]:
    """Register what can be registered. A wrong field is left empty: it is on the operator's screen and follows when it is right."""
    intake = replace(intake, words=intake.words.strip() or _stand_in(), urgency=Urgency.URGENT.value, outside_allowed=True)
    for _attempt in range(8):  # a fault each
        try:
            made = register(intake=intake, by=by, key=_key(by, submission))
        except Invalid as error:
            wrong = {name: _DEFAULTS[name] for name in error.fields if name in _DEFAULTS}
            if "lon" in wrong or "lat" in wrong:
                wrong |= {"lon": None, "lat": None}
            if "category" in wrong:
                wrong["accept"] = False
            if not wrong:
                raise
            intake = replace(intake, **wrong)
        except Conflict:  # a second press that was quicker than the first one's answer
            found = case_of(by, submission)
            if found is None:
                raise
            return found, ""
        else:
            return made.case_id, "" if made.replayed else made.tracking_code
    raise Invalid(gettext_lazy("没有登记成。请先用电话转接，再登记。"))


def _standing(case_id: uuid.UUID, partner: Partner) -> Handover | None:
    """The offer of this case to a partner that stands, decided or not."""
    return (Handover.objects.filter(matter__case_id=case_id, matter__partner=partner, direction=Direction.OUT)
            .exclude(state__in=[state.value for state in NOT_TAKEN]).select_related("matter__partner").order_by("-offered_at").first())


def offer(by: Actor, case_id: uuid.UUID, service: str, *, submission: str) -> tuple[Handover | None, str | Promise]:
    """Offer a case as an emergency to the desk behind `service`: once, however often it is asked for. Where another service has
    been asked already, this one is asked for its own part. Without a linked desk, or when it cannot be offered, the case says that
    the caller was put through by telephone, and the second value says why."""
    partner = partner_for(service)
    why: str | Promise = gettext_lazy("还没有接入 %(service)s 的接警系统，请用电话转接。") % {"service": service}
    if partner is not None:
        if (there := _standing(case_id, partner)) is not None:
            return there, ""
        with override(settings.LANGUAGE_CODE):
            reason = _("话务员按下 %(service)s 紧急键。") % {"service": service}
        shared = bool(Case.objects.filter(pk=case_id).values_list("linkage", flat=True).first())
        try:
            offer_handover(On(case_id, by, key=_key(by, submission, "offer", service)), partner=partner.code, reason=reason,
                           basis="emergency", emergency=True, mode="joint" if shared else "transfer")
            return _standing(case_id, partner), ""
        except DomainError as error:
            log.warning("the emergency of case %s was not offered to %s: %s", case_id, partner.code, error.code)
            why = error.message
    refer_emergency(On(case_id, by, key=_key(by, submission, "refer", service)), service=service)
    return None, why


def _with_its_call(by: Actor, case_id: uuid.UUID) -> None:
    """The call that this person has on the telephone lies on the case: its recording is named in the offer."""
    call = commands.live_call(by.staff_id) if by.staff_id is not None else None
    if call is not None:
        try:
            popping.lies_on(by, call_id=call.pk, case_id=case_id)
        except DomainError as error:
            log.warning("the call %s does not lie on case %s: %s", call.pk, case_id, error.code)


def press(by: Actor, *, service: str, intake: Intake, submission: str, telephone: bool = True) -> Pressed:
    """One press of an emergency key: ring, register with the words so far, offer. The same `submission` is the same case, the same
    service of it the same handover; `telephone` is False when the key was pressed by hand before and only the rest is to follow.

    Raises Invalid for an unknown service, NotAllowed, and what registering raises for words.
    """
    if service not in SERVICES:
        raise Invalid(gettext_lazy("请选择 110、119 或 120。"))
    if not submission:
        raise Invalid(gettext_lazy("页面不完整，请刷新后再试；请先用电话转接。"))
    phone = ring(by, service) if telephone else None
    case_id, code = case_of(by, submission), ""
    if case_id is None:
        case_id, code = _registered(by, intake, submission)
    _with_its_call(by, case_id)
    handover, why = offer(by, case_id, service, submission=submission)
    number = Case.objects.values_list("number", flat=True).get(pk=case_id)
    return Pressed(case_id, number, service, phone, handover, why, code)


@dataclass(frozen=True, slots=True)
class Rest:
    """What was typed after the key was pressed. `n` numbers the pieces from 1: a piece sent again is the same piece."""

    n: int = 0
    piece: str = ""
    place_text: str = ""
    category: str = ""
    area: str = ""
    name: str = ""
    phone: str = ""


def _digest(*parts: str) -> str:
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:16]


def more(by: Actor, submission: str, rest: Rest) -> list[str | Promise]:
    """Add what was typed since to the case of an emergency key; the link carries it to the partner. Returns what could not be
    taken, in words for the operator; everything else is written. Raises NotFound and NotAllowed."""
    case_id = case_of(by, submission)
    if case_id is None:
        raise NotFound()
    case = access_case(by, case_id)
    faults: list[str | Promise] = []

    def tried(do: Callable[[], object]) -> bool:
        try:
            do()
        except DomainError as error:
            faults.append(error.message)
            return False
        return True

    said = [rest.piece.strip()] if rest.piece.strip() else []
    if rest.place_text.strip():
        with override(settings.LANGUAGE_CODE):
            said.append(_("详细地址：%(place)s") % {"place": rest.place_text.strip()})
    said.extend(_elements(by, case, submission, rest))
    if said:
        tried(lambda: add_information(On(case_id, by, key=_key(by, submission, "more", str(rest.n))), words="\n".join(said)))
    if rest.name.strip() or rest.phone.strip():
        tried(lambda: add_reporter(
            On(case_id, by, key=_key(by, submission, "reporter", _digest(rest.name, rest.phone))), name=rest.name, phone=rest.phone))
    return faults


def _elements(by: Actor, case: Case, submission: str, rest: Rest) -> list[str]:
    """Set category and area of the case to what the operator chose since. Where the case has gone on too far for that, they are
    returned as words, so that they are not lost."""
    held = reference()
    node, place = held.nodes_by_code.get(rest.category), held.places_by_code.get(rest.area)
    new: dict[str, str] = {}
    if node is not None and node.is_leaf and node.active and node.id != case.category_id:
        new["category"] = node.code
    if place is not None and place.id != case.area_id:
        new["area"] = place.code
    if not new:
        return []
    with override(settings.LANGUAGE_CODE):
        reason = _("紧急转接以后补录。")
        words = {"category": _("事项：%(name)s") % {"name": node.name if node else ""},
                 "area": _("地点：%(name)s") % {"name": place.name if place else ""}}
    try:
        correct(On(case.pk, by, key=_key(by, submission, "elements", _digest(*new.values()))), reason=reason, **new)
    except DomainError:
        return [words[name] for name in new]
    return []
