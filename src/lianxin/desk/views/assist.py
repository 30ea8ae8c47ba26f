"""The optional helper's drafts, asked for by hand. Nothing is sent or kept: the text comes back for a form or the eye."""

from __future__ import annotations

import uuid

from django.http import Http404, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from lianxin.cases import policy
from lianxin.cases.models import Assignment
from lianxin.cases.queries import access_case
from lianxin.cases.reference import reference, today_of
from lianxin.kernel.clock import now
from lianxin.kernel.errors import DomainError, NotAllowed
from lianxin.knowledge.queries import search
from lianxin.triage import assistant

from ..access import StaffRequest, staff

ANSWERS = ("reply", "answer_on_the_spot")


@staff()
@require_POST
def assist(request: StaffRequest, case_id: uuid.UUID, what: str) -> HttpResponse:
    """`summary` for whoever sees the case; `reply` or `answer_on_the_spot`, a draft, for whoever may take that step now."""
    case = access_case(request.actor, case_id)
    try:
        if what == "summary":
            return JsonResponse({"text": assistant.summary(case.words)})
        if what not in ANSWERS:
            raise Http404
        mine = policy.own_assignment(request.actor, list(Assignment.objects.filter(case=case, ended_at__isnull=True)), what)
        decision = policy.can(request.actor, what, case, assignment=mine)
        if not decision.allowed:
            raise NotAllowed(decision.reason or _("这一步由其他岗位办理。"))
        node = reference().nodes.get(case.category_id) if case.category_id else None
        found = search(case.words, on=today_of(now()), category_codes=(node.code,) if node else (), area_id=case.area_id)
        return JsonResponse({"text": assistant.draft_answer(case.words, [(one.title, one.answer, one.basis) for one in found])})
    except DomainError as error:
        return JsonResponse({"fault": str(error)}, status=error.status)
