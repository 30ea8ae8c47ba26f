"""Forms of supervision: reminder, written supervision and its answer."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from .base import ActionForm, text


class Urge(ActionForm):
    words = text(_("催办内容（给办理单位）"), rows=3, internal=True)


class Supervise(ActionForm):
    words = text(_("督办要求：为什么没办好、什么时候办好、谁负责"), rows=4, internal=True)


class AnswerSupervision(ActionForm):
    words = text(_("督办答复"), rows=5, internal=True)


class AcceptAnswer(ActionForm):
    note = text(_("说明"), required=False, rows=2, internal=True)


class RefuseAnswer(ActionForm):
    reason = text(_("哪里不行，要重新答复什么"), rows=3, internal=True)


FORMS: dict[str, type[ActionForm]] = {
    "urge": Urge, "supervise": Supervise, "answer_supervision": AnswerSupervision,
    "accept_supervision_answer": AcceptAnswer, "refuse_supervision_answer": RefuseAnswer,
}
