"""走访: a visit is written down by who makes it, from the telephone or at a desk, and says when the next is due."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from lianxin.cases.actions import Intake, register
from lianxin.cases.clocks import calendar_named
from lianxin.cases.models import Channel
from lianxin.cases.reference import today_of
from lianxin.kernel.clock import now
from lianxin.kernel.errors import Conflict, Invalid, NotAllowed
from lianxin.kernel.ids import uuid7
from lianxin.kernel.text import clean_text
from lianxin.organisations.actors import Actor

from .due import TELL_AFTER, next_working_day, standing
from .models import CareEntry, CareOutcome, CareVisit, Told
from .policy import is_visitor, visited_by
from .sealing import sealed_note

NOTE = 500
GONE, GIVEN = "care_gone", "care_given"


@dataclass(frozen=True, slots=True)
class Done:
    """What became of a visit: whether it is written down, and whether what needs help was registered as a case."""

    visit: bool
    case: bool


def settle_due(entry: CareEntry, visits: Sequence[CareVisit]) -> None:
    """Put `due_on` and `absences` to what the visits (oldest first) say. The entry is not saved."""
    calendar = calendar_named(entry.unit.calendar)
    made = standing(
        since=today_of(entry.made_at), interval=entry.interval_days,
        visits=[(today_of(one.at), one.outcome != CareOutcome.NOT_AT_HOME) for one in visits],
        next_working=lambda day: next_working_day(day, calendar.is_working_day))
    entry.due_on, entry.absences = made.due_on, made.absences


def _checked(outcome: str, note: str, words: str) -> tuple[str, str]:
    """The note and the words as they are kept. Raises Invalid."""
    faults: dict[str, str] = {}
    said, asked = clean_text(note, max_length=NOTE + 1, multiline=True), clean_text(words, max_length=12_001, multiline=True)
    if outcome not in CareOutcome.values:
        faults["outcome"] = _("请从列表中选择。")
    if len(said) > NOTE:
        faults["note"] = _("太长了，最多 %d 个字。") % NOTE
    if outcome == CareOutcome.NEEDS_HELP and not asked:
        faults["words"] = _("请写明需要什么帮助、在哪里：这些话会登记成一件诉求。")
    if outcome != CareOutcome.NEEDS_HELP and asked:
        faults["words"] = _("只有需要帮助时才登记诉求。")
    if faults:
        raise Invalid(fields=faults)
    return said, asked


def _tell(entry: CareEntry, outcome: str, at: datetime) -> None:
    """What the keeper has to know. Somebody who was met after all is nothing to tell."""
    if outcome == CareOutcome.NEEDS_HELP:
        entry.told, entry.told_at = Told.NEEDS_HELP.value, at
    elif outcome == CareOutcome.NOT_AT_HOME and entry.absences >= TELL_AFTER:
        if entry.told != Told.NEEDS_HELP:
            entry.told, entry.told_at = Told.NOT_AT_HOME.value, at
    elif entry.told == Told.NOT_AT_HOME and entry.absences < TELL_AFTER:
        entry.told, entry.told_at = "", None


def _why_not(pk: uuid.UUID) -> Conflict:
    """An entry that is gone or another's: said without a word of the person, and that the telephone forgets it."""
    current = {"forget": str(pk)}
    if CareEntry.objects.filter(pk=pk).exists():
        return Conflict(_("这次走访已经交给别人，没有记下。有要转告的，请找登记管理员。"), code=GIVEN, current=current)
    return Conflict(_("这条登记已经不在了，走访没有记下，手机上的也请删掉。不用再去了。"), code=GONE, current=current)


def record_visit(*, by: Actor, pk: uuid.UUID, at: datetime, outcome: str, note: str = "", words: str = "",
                 key: uuid.UUID | None = None) -> Done:
    """Write down a visit made at `at`. `words` – for needs_help only, and then needed – become an ordinary case; nothing here
    remembers which. Help does not wait for the register: when the entry is gone or another's meanwhile, the case is made all
    the same, and the visit alone is not written down. `key` becomes the visit's id: the same form sent again makes no second
    visit and no second case.

    Raises NotAllowed, Invalid, and Conflict with `current` {"forget": id} when the entry was withdrawn or given to another.
    """
    if not is_visitor(by) or by.staff_id is None:
        raise NotAllowed(_("走访由登记的走访人来记。"))
    said, asked = _checked(outcome, note, words)
    at = min(at, now())
    with transaction.atomic():
        entry = CareEntry.objects.select_for_update(of=("self",)).select_related("unit", "area").filter(
            visited_by(by, today_of(now())), pk=pk).first()
        if key is not None and (earlier := CareVisit.objects.filter(pk=key).first()) is not None:
            if entry is None or earlier.entry_id != entry.pk:
                raise Conflict()
            return Done(visit=True, case=earlier.outcome == CareOutcome.NEEDS_HELP)
        if asked:
            register(intake=Intake(words=asked, channel=Channel.FIELD.value), by=by)
        elif entry is None:
            raise _why_not(pk)
        if entry is None:
            return Done(visit=False, case=True)
        visit_id = key or uuid7()
        CareVisit.objects.create(pk=visit_id, entry=entry, at=at, outcome=outcome, note=sealed_note(visit_id, said),
                                 by_id=by.staff_id, recorded_at=now())
        settle_due(entry, list(CareVisit.objects.filter(entry=entry).order_by("at", "id")))
        _tell(entry, outcome, now())
        # `version` stays: a visit is no change of what a keeper may just be typing.
        entry.save(update_fields=["due_on", "absences", "told", "told_at"])
    return Done(visit=True, case=bool(asked))
