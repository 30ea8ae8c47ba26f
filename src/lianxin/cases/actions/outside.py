"""外部系统: what passed between a case and another system that has it as well. What is sent there and heard from there is `exchange`'s."""

from __future__ import annotations

from typing import Final

from ..engine import Step, action
from .dispatching import words as said

STAGES: Final = ("sent", "imported", "progress", "closed", "reopened", "aside", "lost")


@action("note_outside")
def note_outside(step: Step, *, stage: str, system: str, name: str, name_en: str = "", reference: str = "", words: str = "") -> None:
    """外部系统记录: for staff only. `stage` is one of `STAGES`, `reference` the other system's own number; `words` are theirs and move
    nothing here."""
    if stage not in STAGES:
        raise AssertionError(f"{stage} is no stage")
    step.data.update(stage=stage, system=system, system_name=name, system_name_en=name_en, reference=reference[:120])
    step.say("words", said(words, "words", required=False), public=False)
