"""What the clocks have told a person: the list, how many wait, and opening one."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from lianxin.care import queries as care
from lianxin.care.policy import is_keeper
from lianxin.cases import inbox
from lianxin.cases.models import NoticeLevel
from lianxin.knowledge import notices as of_articles
from lianxin.webhooks.policy import keeps as keeps_webhooks
from lianxin.webhooks.queries import disabled as disabled_webhooks

from ..access import StaffRequest, staff
from .boards import context_for


@staff()
@require_GET
def notices(request: StaffRequest) -> HttpResponse:
    """The notices to this person, newest first; `all=1` shows those that were opened too."""
    everything = request.GET.get("all") == "1"
    level = request.GET.get("level", "")
    level = level if level in NoticeLevel.values else ""
    page = inbox.inbox(request.actor, unseen=not everything, level=level, after=request.GET.get("after", ""))
    first = not level and not request.GET.get("after")
    return render(request, "desk/notices.html", context_for(
        request, page=page, everything=everything, level=level, levels=NoticeLevel.choices,
        told=inbox.is_told(request.actor) or of_articles.is_told(request.actor) or is_keeper(request.actor)
        or keeps_webhooks(request.actor),
        of_webhooks=disabled_webhooks(request.actor) if first else [],
        of_care=care.told(request.actor) if first else [],
        of_articles=of_articles.inbox(request.actor, unseen=not everything) if first else []))


@staff()
@require_GET
def count(request: StaffRequest) -> HttpResponse:
    """How many wait, for the page's head: a word for the eye and one for the ear. Empty when none do."""
    found = inbox.unseen_count(request.actor) + of_articles.unseen_count(request.actor, most=inbox.MOST + 1) + care.waiting(request.actor)
    found += len(disabled_webhooks(request.actor))
    return render(request, "desk/_notice_count.html", {"count": found, "many": found > inbox.MOST, "most": inbox.MOST})


@staff()
@require_GET
def open_one(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """Open what a notice is about. Who opened it, and when, is kept: like a letter, it is read once it is open."""
    notice = inbox.open_notice(request.actor, pk)
    return redirect(reverse("desk:case", args=[notice.case_id]) if notice.case_id else reverse("desk:missed_calls"))


@staff()
@require_GET
def open_of_article(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """Open what a notice of an article is about."""
    notice = of_articles.open_notice(request.actor, pk)
    return redirect(reverse("desk:article", args=[notice.report.version.article.code]))


@staff()
@require_POST
def open_all(request: StaffRequest) -> HttpResponse:
    """All that wait are seen."""
    done = inbox.open_all(request.actor) + of_articles.open_all(request.actor)
    messages.success(request, ngettext("%d 条已标为看过。", "%d 条已标为看过。", done) % done if done else _("没有没看过的。"))
    return redirect(reverse("desk:notices"))
