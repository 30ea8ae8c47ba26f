"""Take the cases of a hot issue as one: a proposal that a person decides. Nothing is merged by itself."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext as _

from lianxin.cases import policy
from lianxin.cases.actions import merge
from lianxin.cases.actions.merging import why_not
from lianxin.cases.engine import On
from lianxin.cases.models import Case
from lianxin.cases.states import BY_ACTION
from lianxin.kernel.errors import Conflict, Invalid
from lianxin.organisations.actors import Actor

from . import keeping
from .models import HotCase, HotIssue
from .queries import access_issue


@dataclass(frozen=True, slots=True)
class Taken:
    """The master, the numbers of the cases that are merged under it now, and for each of the others why not."""

    master: Case
    merged: tuple[str, ...]
    refused: tuple[str, ...]


def _of(actor: Actor, issue: HotIssue) -> list[Case]:
    return list(Case.objects.filter(policy.visible_to(actor), pk__in=HotCase.objects.filter(issue=issue).values("case"))
                .order_by("registered_at", "id"))


def master_of(actor: Actor, issue: HotIssue) -> Case | None:
    """The oldest case of the issue to which others can be merged by this person; None where there is none."""
    return next((case for case in _of(actor, issue) if policy.can(actor, "merge", case)), None)


def may_take(actor: Actor) -> bool:
    """Whether merging is this person's at all."""
    return actor.has(*BY_ACTION["merge"].roles)


def left_to_take(actor: Actor, master: Case, cases: Sequence[Case]) -> dict[uuid.UUID, str]:
    """For every case but the master why it cannot be merged under it: empty where it can."""
    return {case.pk: str(why_not(actor, master, case) or "") for case in cases if case.pk != master.pk}


def take_as_one(actor: Actor, issue_id: uuid.UUID, *, master_id: uuid.UUID, cases: Collection[uuid.UUID], reason: str,
                version: int | None = None, key: bytes | None = None) -> Taken:
    """Merge these cases of an issue under its oldest open one, in one transaction, with an event for each. Which of them cannot
    be, and why, is said one by one; the others are merged.

    Raises NotFound, Conflict (the oldest open case is another one by now), Invalid (nothing chosen, no reason, too many),
    and what merging raises: then nothing is merged.
    """
    issue = access_issue(actor, issue_id)
    members = _of(actor, issue)
    master = next((case for case in members if case.pk == master_id), None)
    if master is None or master_of(actor, issue) != master:
        raise Conflict(_("这个热点里最早的在办工单已经变了，请看过再提交。"), code="master_changed")
    chosen = [case for case in members if case.pk in cases and case.pk != master.pk]
    gone = len(set(cases) - {case.pk for case in members})
    if not chosen and gone:
        raise Conflict(_("勾选的工单已经不在这个热点里，可能刚才已经并案。"), code="already_taken")
    if not chosen:
        raise Invalid(_("请至少勾选一件要并入的工单。"), fields={"case": str(_("请填写这一项。"))})
    why = left_to_take(actor, master, chosen)
    fit = [case for case in chosen if not why[case.pk]]
    refused = [why[case.pk] for case in chosen if why[case.pk]]
    if gone:
        refused.append(_("%d 件已经不在这个热点里。") % gone)
    if not fit:
        raise Invalid(_("勾选的工单都不能并入。"), fields={"case": " ".join(refused)})
    with transaction.atomic():
        merge(On(master.pk, actor, version=version, key=key), duplicates=[case.number for case in fit], reason=reason)
        keeping.recount(issue.pk)
    return Taken(master, tuple(case.number for case in fit), tuple(refused))
