"""How the reporter is heard after an answer: whether they may still rate or contest, and what the page says of it."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from lianxin.cases.models import Case, State
from lianxin.cases.narrative import day_and_time
from lianxin.kernel.clock import now

from .attempts import contest_until
from .campaigns import draw_of
from .models import Contest, Rating


@dataclass(frozen=True, slots=True)
class Hearing:
    """`steps` are whole sentences for the list of what comes next."""

    rated: bool
    contestable: bool
    steps: tuple[str, ...] = ()


def is_rated(case: Case) -> bool:
    return Rating.objects.filter(case=case, round=case.round).exists()


def hearing(case: Case) -> Hearing:
    """Three queries at most, none before there is an answer."""
    if case.state == State.CLOSED and case.closed_at is not None:
        until = contest_until(case.closed_at)
        open_still = now() <= until and not Contest.objects.filter(case=case, round=case.round).exists()
        if not open_still:
            return Hearing(is_rated(case), False)
        words = _("不认可这次办结的，最迟 %(until)s可以在这里说，热线会再联系您。") % {"until": day_and_time(until)}
        return Hearing(is_rated(case), True, (words,))
    if case.state != State.CALLBACK:
        return Hearing(False, False)
    rated = is_rated(case)
    draw = None if case.for_supervisor else draw_of(case)
    if draw is None or draw.drawn or rated or Contest.objects.filter(case=case, round=case.round).exists():
        return Hearing(rated, False)
    return Hearing(rated, False, (
        _("这一次没有抽到电话回访，所以想请您自己说一声。最迟 %(until)s，到时没有您的评价就先归档，不算您满意。") % {
            "until": day_and_time(draw.rate_until)},))

