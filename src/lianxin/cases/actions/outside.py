"""外部系统: what passed between a case and another system that has it as well. What is sent there and heard from there is `exchange`'s."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Final

from ..engine import Step, action
from ..models import Attachment
from .dispatching import words as said

STAGES: Final = ("sent", "imported", "progress", "closed", "reopened", "aside", "lost", "photo", "photo_lost")


@action("note_outside")
def note_outside(step: Step, *, stage: str, system: str, name: str, name_en: str = "", reference: str = "", words: str = "",
                 photos: Sequence[uuid.UUID] = (), unit: str = "") -> None:
    """外部系统记录: for staff only. `stage` is one of `STAGES`, `reference` the other system's own number; `words` are theirs and move
    nothing here. `photos` are files that came from there, `unit` the code of the unit whose system it is."""
    if stage not in STAGES:
        raise AssertionError(f"{stage} is no stage")
    step.data.update(stage=stage, system=system, system_name=name, system_name_en=name_en, reference=reference[:120])
    if photos:
        free = Attachment.objects.filter(pk__in=list(photos), case__isnull=True, by_reporter=False)
        count = free.update(case=step.case, event_id=step.event_id, purpose="proof" if unit else "report", created_at=step.at)
        step.data.update(count=count, unit=unit)
    step.say("words", said(words, "words", required=False), public=False)
