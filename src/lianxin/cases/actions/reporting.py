"""The reporter's part after the first word: more information, files, withdrawal, consent to publish."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from django.utils.translation import gettext_lazy as _

from lianxin.kernel.errors import Invalid
from lianxin.kernel.text import clean_text
from lianxin.organisations.actors import Kind

from .. import answers
from ..engine import Step, action
from ..models import Attachment, Publication, PublicVersion, State
from .dispatching import words as safe
from .pausing import answered


@action("add_information")
def add_information(step: Step, *, words: str) -> None:
    """补充情况: in the reporter's own words, beside the first ones, which stay as they are."""
    step.require(words=words)
    step.say("words", safe(words, "words"), public=True)
    answered(step)


@action("attach")
def attach(step: Step, *, attachments: Sequence[uuid.UUID], purpose: str = "more") -> None:
    """添加附件: files uploaded before become the case's. A reporter's are the reporter's, staff's are staff's."""
    step.require(attachments=list(attachments))
    reporter = step.by.kind is Kind.REPORTER
    free = Attachment.objects.filter(pk__in=list(attachments), case__isnull=True, by_reporter=reporter)
    if not reporter:
        free = free.filter(uploaded_by_id=step.by.staff_id)
    count = free.update(case=step.case, event_id=step.event_id, purpose=purpose)
    if count == 0:
        raise Invalid(_("没有找到要添加的文件，请重新上传。"), fields={"attachments": str(_("请重新上传。"))})
    step.data.update(count=count)
    answered(step)


@action("withdraw")
def withdraw(step: Step, *, reason: str) -> None:
    """撤回: the reporter's wish, said by themselves or to the operator."""
    step.require(reason=reason)
    step.say("reason", safe(reason, "reason"), public=True)
    step.to(State.WITHDRAWN)
    step.finish()


def _version(step: Step, title: str, body: str) -> dict[str, object]:
    return {
        "title": clean_text(safe(title, "title"), max_length=120, multiline=False),
        "body": safe(body, "body")[:4000],
    }


@action("request_publication")
def request_publication(step: Step, *, title: str, body: str) -> None:
    """同意公开: the reporter agrees to these words being read by anyone, once staff have cleared them."""
    step.require(title=title, body=body)
    if step.case.confidential:
        raise Invalid(_("这件工单要求保密，不能公开。"))
    if step.case.publication == Publication.PUBLIC:
        raise Invalid(_("这件工单已经公开。"))
    PublicVersion.objects.update_or_create(
        case=step.case, defaults=_version(step, title, body) | {"answer": "", "cleared_by": None, "cleared_at": None}
    )
    step.set(publication=Publication.REQUESTED.value)


@action("clear_publication")
def clear_publication(step: Step, *, title: str, body: str, answer: str = "") -> None:
    """审核公开: staff publish the redacted words, and with them the answer that stands, blacked out and not rewritten; without `answer`
    it stays with the reporter. The place shown is the village, its position the village's own."""
    step.require(title=title, body=body)
    if step.case.publication not in (Publication.REQUESTED, Publication.PUBLIC):
        raise Invalid(_("诉求人没有同意公开，不能公开。"))
    from lianxin.places.models import Area

    said = answers.cleared(step, answer)
    place = step.reference.places.get(step.case.area_id) if step.case.area_id else None
    shown: Area | None = None
    if place is not None:
        levels = {"village": 0, "town": 1, "county": 2}
        near = sorted(
            Area.objects.filter(pk__in=place.lineage, level__in=list(levels)), key=lambda area: levels[area.level]
        )
        shown = near[0] if near else None
    PublicVersion.objects.update_or_create(
        case=step.case,
        defaults=_version(step, title, body) | {
            "answer": said,
            "area": shown,
            "lon": shown.lon if shown else None,
            "lat": shown.lat if shown else None,
            "cleared_by_id": step.by.staff_id,
            "cleared_at": step.at,
        },
    )
    step.set(publication=Publication.PUBLIC.value)


@action("refuse_publication")
def refuse_publication(step: Step, *, reason: str) -> None:
    """不予公开, or taken back from the public list."""
    step.require(reason=reason)
    if step.case.publication not in (Publication.REQUESTED, Publication.PUBLIC):
        raise Invalid(_("这件工单没有申请公开。"))
    step.say("reason", safe(reason, "reason"), public=True)
    answers.withdraw(step)
    step.set(publication=Publication.REFUSED.value)
