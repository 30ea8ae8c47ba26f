"""The public answer of a case whose words are public: which one stands, and whether anyone may read it.

Staff clear it with the words or after them, blacked out where it has to be and never rewritten. A case that goes back to be done again
takes its answer along: what was cleared is withdrawn at once, and the next answer waits to be cleared.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext_lazy as _

from lianxin.kernel.errors import Invalid
from lianxin.kernel.text import clean_text, only_blacked_out

from .models import AnswerPublication, Case, Event, EventText, Publication, PublicVersion, State

if TYPE_CHECKING:
    from .engine import Step

ANSWERED: Final = (State.CALLBACK, State.CLOSED)
FIELD: Final = "public_answer"
LONGEST: Final = 10_000


def _approved(case: Case) -> str:
    """What the unit wrote last: the answer that a reviewer has just approved."""
    texts = EventText.objects.filter(case=case, field=FIELD, public=True, anonymised_at__isnull=True)
    return texts.order_by("-event_id").values_list("body", flat=True).first() or ""


def standing_answer(case: Case) -> str:
    """The answer that the reporter holds now; empty when the case is not answered, or was without words. Two queries."""
    if case.state not in ANSWERED:
        return ""
    entered = (Event.objects.filter(case=case, to_state__in=ANSWERED).exclude(from_state__in=ANSWERED).order_by("-id")
               .values_list("id", "action").first())
    if entered is None:
        return ""
    event_id, action = entered
    if action == "approve":
        return _approved(case)
    said = EventText.objects.filter(event_id=event_id, field=FIELD, public=True, anonymised_at__isnull=True)
    return said.values_list("body", flat=True).first() or ""


def cleared(step: Step, answer: str) -> str:
    """Judge the standing answer together with the words; returns what of it anyone may read. Nothing given: it is not published.

    Raises Invalid when there is no answer, or when more was done to it than blacking out – by somebody, or because another answer
    stands by now.
    """
    said = clean_text(answer, max_length=LONGEST, multiline=True)
    standing = standing_answer(step.case)
    if said and not standing:
        raise Invalid(_("这件事现在没有可以公开的答复。"), fields={"answer": str(_("还没有答复，或者已退回重办。"))})
    if said and not only_blacked_out(standing, said):
        raise Invalid(_("答复只能涂黑，不能改写。"), fields={
            "answer": str(_("除了涂黑（■）的字，其余须和给诉求人的答复一样。答复要是已经换了，请按新的再审。"))})
    step.set(answer_publication=(AnswerPublication.PUBLIC if said else AnswerPublication.KEPT).value if standing else None)
    step.data.update(answer=bool(said))
    return said


def withdraw(step: Step) -> None:
    """Nobody may read the answer any more."""
    if step.case.answer_publication is not None:
        step.set(answer_publication=None)
        PublicVersion.objects.filter(case=step.case).update(answer="")


def moved(step: Step) -> None:
    """What a step means for the answer. Called by the engine before it writes; asks nothing of a case that is not public."""
    case = step.case
    if case.publication != Publication.PUBLIC or not step.to_state:
        return
    if case.state not in ANSWERED:
        withdraw(step)
    elif step.came_from not in ANSWERED:
        own = next((body for name, body, public in step.texts if name == FIELD and public), "")
        if own or (step.row.action == "approve" and _approved(case)):
            step.set(answer_publication=AnswerPublication.WAITING.value)
