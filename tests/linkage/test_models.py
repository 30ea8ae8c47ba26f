"""The ledgers of handovers stay as they were written."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, InternalError, transaction

from lianxin.cases import handing_over
from lianxin.kernel.clock import now
from lianxin.linkage import wire
from lianxin.linkage.models import Handover, HandoverStep, Holder, Matter, Partner
from lianxin.linkage.models.matters import BASES, MODES, WISHES

pytestmark = pytest.mark.django_db


def handover() -> Handover:
    partner = Partner.objects.create(code="110.hill", name="110", kind="police", service="110", emergencies=True)
    matter = Matter.objects.create(partner=partner, holder=Holder.US, first_receiver=Holder.US)
    return Handover.objects.create(matter=matter, direction="out", basis="clear")


def test_a_step_is_never_altered_or_deleted() -> None:
    step = HandoverStep.objects.create(handover=handover(), kind="offer", by="us", to_state="offered")
    for change in (lambda: HandoverStep.objects.filter(pk=step.pk).update(kind="accept"), step.delete):
        with pytest.raises((IntegrityError, InternalError)), transaction.atomic():
            change()
    assert HandoverStep.objects.filter(pk=step.pk).update(words=b"sealed anew") == 1


def test_one_offer_of_a_matter_at_a_time() -> None:
    first = handover()
    with pytest.raises(IntegrityError, match="handover_one_undecided"), transaction.atomic():
        Handover.objects.create(matter=first.matter, direction="out", basis="clear")
    at = now()
    Handover.objects.filter(pk=first.pk).update(state="refused", refusal="not_police", decided_at=at, ended_at=at)
    Handover.objects.create(matter=first.matter, direction="out", basis="unclear")


def test_what_a_person_chooses_and_what_is_stored_are_words_of_the_wire() -> None:
    """The cases lie below the link and cannot import its words: here it shows when one of the two gets a value more."""
    assert set(handing_over.Mode.values) == set(wire.Mode)
    assert set(handing_over.Basis.values) == set(wire.Basis) - {wire.Basis.RETURNED, wire.Basis.FOLLOWUP}  # which a machine gives
    assert set(handing_over.Wish.values) - {handing_over.Wish.AGAINST} == set(wire.Wish)  # who is against it is not written about
    for choices, words in ((MODES, wire.Mode), (BASES, wire.Basis), (WISHES, wire.Wish)):
        assert {value for value, _label in choices} == set(words)
