"""Writing the register: each function one transaction, with its line in the ledger."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from lianxin.cases.reference import today_of
from lianxin.kernel.clock import now
from lianxin.kernel.errors import Conflict, Invalid, NotAllowed
from lianxin.kernel.ids import uuid7
from lianxin.kernel.text import clean_text, phone_normalise
from lianxin.organisations.actors import Actor
from lianxin.organisations.models import Staff
from lianxin.places.models import Area

from .due import LAPSE
from .models import LONGEST_INTERVAL, CareEntry, CareStep, CareStepKind, CareVisit, ConsentGiven
from .policy import is_keeper, kept_by
from .queries import kept, may_visit, units_at
from .sealing import Person, sealed
from .visiting import settle_due

LENGTHS = {"name": 60, "address": 200, "phone": 40, "trusted": 120, "purpose": 500, "witness": 60}
REQUIRED = ("name", "address", "purpose")
FILL = gettext_lazy("请填写这一项。")
ELSEWHERE = gettext_lazy("这个地点不归您登记，请选本单位辖区里的。")
NO_VISITOR = gettext_lazy("走访人须是本单位在岗的网格员。")


@dataclass(frozen=True, slots=True)
class Consent:
    """What somebody agreed to: when, how, until when (included), and who heard it when it was spoken."""

    on: date
    how: str
    until: date
    witness: str = ""


def a_year_after(day: date) -> date:
    """The last day of a consent given for the longest time: a year, less a day."""
    try:
        return day.replace(year=day.year + 1) - timedelta(days=1)
    except ValueError:  # 29 February
        return day.replace(year=day.year + 1, day=28)


def _person(said: Person) -> Person:
    """The person's words as they are kept. Raises Invalid with each field's fault."""
    faults: dict[str, str] = {}
    kept_words: dict[str, str] = {}
    for name, length in LENGTHS.items():
        words = clean_text(getattr(said, name), max_length=length + 1, multiline=name == "purpose")
        if len(words) > length:
            faults[name] = _("太长了，最多 %d 个字。") % length
        elif not words and name in REQUIRED:
            faults[name] = str(FILL)
        kept_words[name] = words
    if kept_words["phone"] and "phone" not in faults:
        number = phone_normalise(kept_words["phone"])
        if not 5 <= len(number.lstrip("+")) <= 20:
            faults["phone"] = _("请核对号码。")
        kept_words["phone"] = number
    if faults:
        raise Invalid(fields=faults)
    return Person(**kept_words)


def _interval(days: int) -> int:
    if not 1 <= days <= LONGEST_INTERVAL:
        raise Invalid(fields={"interval_days": _("请填 1 到 %d 天。") % LONGEST_INTERVAL})
    return days


def _consent(said: Consent, today: date) -> Consent:
    """A consent that may be written down. Raises Invalid."""
    faults: dict[str, str] = {}
    if said.how not in ConsentGiven.values:
        faults["consent_how"] = _("请从列表中选择。")
    if said.on > today:
        faults["consent_on"] = _("日期在将来，请核对。")
    elif said.until < today:
        faults["consent_until"] = _("这个日期已经过了。")
    elif said.until < said.on or said.until > a_year_after(said.on):
        faults["consent_until"] = _("同意最长一年，到期再问本人。最晚填 %s。") % a_year_after(said.on).isoformat()
    if said.how == ConsentGiven.SPOKEN and not said.witness.strip():
        faults["witness"] = _("口头同意要有见证人，请写姓名。")
    if faults:
        raise Invalid(fields=faults)
    return said if said.how == ConsentGiven.SPOKEN else Consent(said.on, said.how, said.until)


def _step(entry: CareEntry, kind: CareStepKind, by: Actor | None) -> None:
    CareStep.objects.create(entry_id=entry.pk, unit_id=entry.unit_id, kind=kind.value, at=now(),
                            by_id=by.staff_id if by is not None else None)


def _held(by: Actor, pk: uuid.UUID, version: int) -> CareEntry:
    """A keeper's entry, locked, as it was when the keeper saw it. Raises NotFound and Conflict."""
    entry = kept(by, pk, lock=True)
    if entry.version != version:
        raise Conflict()
    entry.version += 1
    return entry


def enter(*, by: Actor, person: Person, consent: Consent, area: Area, interval_days: int, visitor: Staff,
          key: uuid.UUID | None = None) -> CareEntry:
    """登记: somebody asked to be looked in on. The first visit is due after the interval. `key` becomes the entry's id: the same
    form sent again makes no second one. Raises NotAllowed, Invalid, and NotFound for the key of an entry that is gone."""
    if not is_keeper(by) or by.staff_id is None:
        raise NotAllowed(_("关爱登记只有登记管理员能办。"))
    at = now()
    given = _consent(consent, today_of(at))
    said = _person(Person(person.name, person.address, person.phone, person.trusted, person.purpose, given.witness))
    interval = _interval(interval_days)
    units = units_at(by, area)
    if not units:
        raise Invalid(fields={"area": str(ELSEWHERE)})
    unit_id = next((one for one in units if may_visit(visitor, one)), None)
    if unit_id is None:
        raise Invalid(fields={"visitor": str(NO_VISITOR)})
    pk = key or uuid7()
    if key is not None and CareStep.objects.filter(entry_id=key).exists():
        return kept(by, key)
    entry = CareEntry(
        pk=pk, unit_id=unit_id, area=area, interval_days=interval, visitor=visitor, recorded_by_id=by.staff_id,
        consent_on=given.on, consent_how=given.how, consent_until=given.until, made_at=at,
        **{name: sealed(pk, getattr(said, name), name) for name in LENGTHS})
    settle_due(entry, [])
    try:
        with transaction.atomic():
            entry.save(force_insert=True)
            _step(entry, CareStepKind.MADE, by)
    except IntegrityError:
        if key is None:
            raise
        return kept(by, key)  # the same form, sent at the same moment
    return entry


def correct(*, by: Actor, pk: uuid.UUID, version: int, person: Person, area: Area, interval_days: int) -> CareEntry:
    """更正: what is held is made right. The witness stays. Raises NotFound, Conflict and Invalid."""
    said, interval = _person(person), _interval(interval_days)
    with transaction.atomic():
        entry = _held(by, pk, version)
        if entry.unit_id not in units_at(by, area):
            raise Invalid(fields={"area": str(ELSEWHERE)})
        for name in LENGTHS:
            if name != "witness":
                setattr(entry, name, sealed(pk, getattr(said, name), name))
        entry.area, entry.interval_days = area, interval
        settle_due(entry, list(CareVisit.objects.filter(entry=entry).order_by("at", "id")))
        entry.save()
        _step(entry, CareStepKind.CHANGED, by)
    return entry


def _give(entry: CareEntry, to: Staff, until: date | None) -> None:
    if until is None:
        entry.visitor, entry.stand_in, entry.stand_in_until = to, None, None
    elif to.pk == entry.visitor_id:
        entry.stand_in, entry.stand_in_until = None, None
    else:
        entry.stand_in, entry.stand_in_until = to, until


def _receiver(unit_id: int, to: Staff, until: date | None) -> None:
    if not may_visit(to, unit_id):
        raise Invalid(fields={"to": str(NO_VISITOR)})
    if until is not None and until < today_of(now()):
        raise Invalid(fields={"until": _("这个日期已经过了。")})


def give(*, by: Actor, pk: uuid.UUID, version: int, to: Staff, until: date | None = None) -> CareEntry:
    """换走访人: for good, or until a day (included) and then the visitor again. Raises NotFound, Conflict and Invalid."""
    with transaction.atomic():
        entry = _held(by, pk, version)
        _receiver(entry.unit_id, to, until)
        _give(entry, to, until)
        entry.save(update_fields=["visitor", "stand_in", "stand_in_until", "version"])
        _step(entry, CareStepKind.GIVEN, by)
    return entry


def give_all(*, by: Actor, visitor: Staff, to: Staff, until: date | None = None) -> int:
    """All entries of one visitor to another: a holiday, or somebody who left. Raises NotAllowed and Invalid; returns how many."""
    if not is_keeper(by):
        raise NotAllowed(_("关爱登记只有登记管理员能办。"))
    if to.pk == visitor.pk:
        raise Invalid(fields={"to": _("请选另一个人。")})
    with transaction.atomic():
        rows = CareEntry.objects.select_for_update(of=("self",)).filter(kept_by(by), visitor=visitor).order_by("id")
        for unit_id in {entry.unit_id for entry in rows}:
            _receiver(unit_id, to, until)
        for entry in rows:
            _give(entry, to, until)
            entry.version += 1
            entry.save(update_fields=["visitor", "stand_in", "stand_in_until", "version"])
            _step(entry, CareStepKind.GIVEN, by)
    return len(rows)


def renew(*, by: Actor, pk: uuid.UUID, version: int, consent: Consent) -> CareEntry:
    """续期: the person was asked again and agreed again. Raises NotFound, Conflict and Invalid."""
    given = _consent(consent, today_of(now()))
    witness = clean_text(given.witness, max_length=LENGTHS["witness"], multiline=False)
    with transaction.atomic():
        entry = _held(by, pk, version)
        entry.consent_on, entry.consent_how, entry.consent_until = given.on, given.how, given.until
        entry.witness = sealed(pk, witness, "witness")
        entry.recorded_by_id = by.staff_id or entry.recorded_by_id
        entry.save(update_fields=["consent_on", "consent_how", "consent_until", "witness", "recorded_by", "version"])
        _step(entry, CareStepKind.RENEWED, by)
    return entry


def _delete(entry: CareEntry, kind: CareStepKind, by: Actor | None) -> None:
    """The ledger says it, and entry and visits are gone: words and all."""
    _step(entry, kind, by)
    CareVisit.objects.filter(entry=entry).delete()
    CareEntry.objects.filter(pk=entry.pk).delete()


def withdraw(*, by: Actor, pk: uuid.UUID) -> None:
    """撤回: the person no longer wants it, and what was held is deleted at once. Raises NotFound."""
    with transaction.atomic():
        _delete(kept(by, pk, lock=True), CareStepKind.WITHDRAWN, by)


def forget_ended(at: datetime) -> int:
    """Delete entries whose consent ended `LAPSE` ago and was not given again. Returns how many."""
    due = CareEntry.objects.filter(consent_until__lt=today_of(at) - LAPSE).order_by("id")
    count = 0
    for pk in list(due.values_list("pk", flat=True)):
        with transaction.atomic():
            entry = due.select_for_update(skip_locked=True).filter(pk=pk).first()  # not one that is renewed just now
            if entry is not None:
                _delete(entry, CareStepKind.LAPSED, None)
                count += 1
    return count


__all__: Sequence[str] = (
    "LENGTHS", "Consent", "a_year_after", "correct", "enter", "forget_ended", "give", "give_all", "renew", "withdraw",
)
