"""The grid worker's part: settled on the spot, and an independent look at what others handled."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from django.utils.translation import gettext_lazy as _

from lianxin.kernel.errors import Conflict, Invalid, NotAllowed
from lianxin.kernel.text import clean_text
from lianxin.organisations.models import WORKING, Staff

from .. import checks
from ..clocks import promise
from ..engine import Step, action
from ..models import Attachment, Check, Outcome, State
from .dispatching import claim, close_at_once, set_elements, words

CHECK_MINUTES = 840  # two working days


@action("settle_on_the_spot")
def settle_on_the_spot(step: Step, *, public_answer: str, attachments: Sequence[uuid.UUID], category: str | None = None) -> None:
    """自行处置: the worker who reported it put it right there and then. Needs a photo of how it was, which came with the report,
    and one of how it is now; `attachments` are the latter."""
    step.require(public_answer=public_answer, attachments=list(attachments))
    if category:
        set_elements(step, category=category, area=None, kind=None, urgency=None)
    if step.case.category_id is None:
        raise Invalid(_("请选择事项。"), fields={"category": str(_("请选择事项。"))})
    if not Attachment.objects.filter(case=step.case, kind=Attachment.MediaKind.PHOTO, removed_at__isnull=True).exists():
        raise Invalid(_("还缺处置前的照片。没有拍到的，请改为上报热线。"), fields={"attachments": str(_("缺处置前的照片。"))})
    if claim(step, attachments, "proof") == 0:
        raise Invalid(_("还缺处置后的照片。"), fields={"attachments": str(_("缺处置后的照片。"))})
    step.say("public_answer", words(public_answer, "public_answer"), public=True)
    close_at_once(step, Outcome.SELF_HANDLED)


def _named(step: Step, worker: str | None) -> Staff:
    able = checks.checkers(step.case)
    if not worker:
        if not able:
            raise Invalid(_("这个地方没有可以核查的网格员：要在当地、没有经手过、也不属于承办单位。"),
                          fields={"worker": str(_("没有合适的网格员。"))})
        return able[0]
    username = clean_text(worker, max_length=150, multiline=False)
    found = next((one for one in able if one.username == username), None)
    if found is None:
        raise Invalid(_("只能请当地的、没有经手过、也不属于承办单位的网格员核查。"),
                      fields={"worker": str(_("请从列表中选择。"))})
    return found


@action("ask_check")
def ask_check(step: Step, *, note: str, worker: str | None = None) -> None:
    """请现场核查: an independent look at what is said to be handled, by a grid worker of the place who had no part in it. One
    that is still open is given to this worker instead."""
    step.require(note=note)
    able = _named(step, worker)
    if step.by.staff_id is None:
        raise AssertionError("a check is asked for by a person")
    if able.pk == step.by.staff_id:
        raise Invalid(_("不能请自己核查。"), fields={"worker": str(_("请选择别的网格员。"))})
    checks.opened().filter(case=step.case).update(withdrawn_at=step.at)
    due = promise(start=step.at, minutes=CHECK_MINUTES, calendar=WORKING)
    made = Check.objects.create(case=step.case, event_id=step.event_id, round=step.case.round, asked_at=step.at,
                                asked_by_id=step.by.staff_id, worker=able, due_at=due.due_at)
    step.data.update(check=str(made.pk), worker=able.username, worker_name=able.name, due_at=due.due_at.isoformat())
    step.say("note", words(note, "note"), public=False)


@action("answer_check")
def answer_check(step: Step, *, handled: bool, attachments: Sequence[uuid.UUID], note: str = "", lon: float | None = None,
                 lat: float | None = None) -> None:
    """核查结果: what the worker saw, with a photo of the place, and where they stood if they say so (WGS-84 degrees).

    Where it was not handled, a supervisor decides how a case that waits for its callback ends, and a reply cannot pass review.
    """
    step.require(handled=handled, attachments=list(attachments))
    mine = checks.opened().filter(case=step.case, worker_id=step.by.staff_id).first()
    if mine is None:
        raise Conflict(_("这次核查已经改派或不再需要。您写的还在。"), code="check_gone",
                       current={"state": step.case.state, "version": step.case.version})
    if not checks.may_check(step.case, mine.worker):
        raise NotAllowed(_("您或您的单位经手过这件工单，不能核查。"))
    if claim(step, attachments, "check") == 0:
        raise Invalid(_("请附一张现场的照片。"), fields={"attachments": str(_("请至少附一张照片。"))})
    mine.answered_at, mine.answer_event_id, mine.handled = step.at, step.event_id, handled
    mine.save(update_fields=["answered_at", "answer_event_id", "handled"])
    step.data.update(check=str(mine.pk), handled=handled)
    if lon is not None and lat is not None:
        if not (-180 <= lon <= 180 and -90 <= lat <= 90):
            raise Invalid(_("位置的坐标不对。"), fields={"lon": str(_("坐标或坐标系不对。"))})
        step.data.update(lon=round(lon, 5), lat=round(lat, 5))
    step.say("note", words(note, "note", required=False), public=False)
    if not handled and step.case.state == State.CALLBACK:
        step.set(for_supervisor=True)
