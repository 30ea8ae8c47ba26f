"""The ledgers of handovers stay as they were written."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, InternalError, transaction

from lianxin.kernel.clock import now
from lianxin.linkage.models import Handover, HandoverStep, Holder, Matter, Partner

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
