"""What people read of other systems: each with its outbox, what both have, prepared replies that wait."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Final

from django.db.models import Q

from lianxin.cases.models import AssignmentRole, Case
from lianxin.cases.reference import reference
from lianxin.kernel.errors import NotFound
from lianxin.organisations.actors import Actor

from . import hearing, outbox, policy
from .models import Change, Disclosure, Letter, LetterState, Link, Mapping, Service, System, Unmapped

LISTED: Final = 100
ANSWERS: Final = {AssignmentRole.LEAD: "reply", AssignmentRole.ASSIST: "assist_reply"}  # by what a unit answers for its part


@dataclass(frozen=True, slots=True)
class Shown:
    """One link with what its system closed it with, where that waits for a person; `mine` says that this person decides, `action` by
    which action their unit answers."""

    link: Link
    proposal: str
    mine: bool

    @property
    def action(self) -> str:
        part = self.link.assignment
        return ANSWERS[AssignmentRole(part.role)] if part is not None else "reply"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the mapping, with what our category is called."""

    mapping: Mapping
    said: str


def standings(by: Actor) -> list[outbox.Standing]:
    """The systems somebody reads of."""
    return outbox.standings(policy.visible_to(by))


def standing(by: Actor, code: str) -> outbox.Standing:
    """One system. Raises NotFound for what is not there or not theirs to see."""
    found = outbox.standings(policy.visible_to(by) & Q(code=code))
    if not found:
        raise NotFound()
    return found[0]


def _shown(by: Actor, links: list[Link]) -> list[Shown]:
    return [Shown(one, hearing.proposal_of(one) if not one.settled and one.ended_at is None else "",
                  policy.settles(by, one.system.unit_id)) for one in links]


def waiting(by: Actor) -> list[Shown]:
    """Prepared replies that wait, oldest first."""
    systems = System.objects.filter(policy.visible_to(by)).values("pk")
    found = Link.objects.filter(system__in=systems, proposal__isnull=False, settled="", ended_at__isnull=True)
    return _shown(by, list(found.select_related("system", "case", "assignment").order_by("proposed_at")[:LISTED]))


def of_case(by: Actor, case: Case) -> list[Shown]:
    """The systems that have a case, newest first."""
    return _shown(by, list(Link.objects.filter(case=case).select_related("system", "case", "assignment").order_by("-id")))


def prepared_reply(by: Actor, case_id: uuid.UUID, role: AssignmentRole) -> str:
    """What the system of this person's unit closed its part with, the lead's or an assisting one; empty where nothing waits. For the
    form of the unit's answer to begin with."""
    units = [grant.unit_id for grant in by.grants]
    found = Link.objects.filter(case_id=case_id, proposal__isnull=False, settled="", ended_at__isnull=True, system__unit__in=units,
                                assignment__role=role).order_by("-id").first()
    return hearing.proposal_of(found) if found is not None else ""


def dead(system: System) -> list[Letter]:
    return list(Letter.objects.filter(system=system, state=LetterState.DEAD).select_related("link__case").order_by("id")[:LISTED])


def links(system: System) -> list[Link]:
    """What both have, newest first."""
    return list(Link.objects.filter(system=system).select_related("case").order_by("-id")[:LISTED])


def lines(system: System) -> list[Line]:
    """The mapping, both directions."""
    nodes = reference().nodes_by_code
    return [Line(one, nodes[one.ours].said if one.ours in nodes else "")
            for one in Mapping.objects.filter(system=system).order_by("-inbound", "theirs", "ours")]


def services(system: System) -> list[Service]:
    return list(Service.objects.filter(system=system, gone_at__isnull=True).order_by("group", "code"))


def unmapped(system: System) -> list[Unmapped]:
    """What the mapping lacks, most often met first."""
    return list(Unmapped.objects.filter(system=system).order_by("-times", "-last_at")[:LISTED])


def changes(system: System) -> list[Change]:
    return list(Change.objects.filter(system=system).select_related("by").order_by("-id")[:30])


def disclosed(system: System) -> list[Disclosure]:
    """What of reporters went there lately, newest first."""
    return list(Disclosure.objects.filter(link__system=system).select_related("link__case", "staff").order_by("-id")[:30])

