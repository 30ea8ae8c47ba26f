"""Who may read the catalogue, ask for a change of it, and decide: nobody decides what they asked for themselves."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from lianxin.organisations.actors import Actor, Kind
from lianxin.organisations.models import Role, UnitKind
from lianxin.organisations.scopes import named

from ..models import CatalogueProposal
from ..policy import YES, Decision
from ..reference import Place

READERS = frozenset(Role) - {Role.GRID_WORKER, Role.TEAM_LEAD, Role.CARE_KEEPER, Role.OUTSIDE_APP}
PROPOSERS = frozenset({Role.DISPATCHER, Role.SUPERVISOR})
PROPOSE = named("propose_catalogue", _("建议修改派单目录"))
DECIDE = named("decide_catalogue", _("审定派单目录的修改建议"))
RESTORE = named("restore_catalogue", _("恢复派单目录的某一版"))


def can_read(actor: Actor) -> Decision:
    """Whoever works with cases at a desk."""
    return YES if actor.has(*READERS) else Decision(False, _("您的岗位不看派单目录。"))


def can_propose(actor: Actor, place: Place | None) -> Decision:
    """A dispatcher or supervisor of the hotline for the whole city, one of a county for what lies in the county."""
    if not actor.scoped(PROPOSE):
        return Decision(False, _("这个接口令牌没有这一步的权限。"))
    if actor.kind is not Kind.STAFF or not actor.has(*PROPOSERS):
        return Decision(False, _("修改建议由派单员或督办员提出。"))
    for grant in actor.grants:
        if grant.role not in PROPOSERS:
            continue
        county = grant.area_id or grant.county_id
        if (county is None and grant.unit_kind is UnitKind.HOTLINE) or (
            county is not None and place is not None and place.county_id == county
        ):
            return YES
    return Decision(False, _("您只能对本县市区的规则提修改建议。"))


def can_decide(actor: Actor, proposal: CatalogueProposal) -> Decision:
    """A supervisor of the hotline, never the one who proposed."""
    if not actor.scoped(DECIDE):
        return Decision(False, _("这个接口令牌没有这一步的权限。"))
    if not actor.holds_in_hotline(Role.SUPERVISOR):
        return Decision(False, _("修改建议由热线的督办员审定。"))
    if actor.staff_id == proposal.proposed_by_id:
        return Decision(False, _("自己提的建议，须由别的督办员审定。"))
    return YES


def can_restore(actor: Actor) -> Decision:
    """A supervisor of the hotline."""
    if not actor.scoped(RESTORE):
        return Decision(False, _("这个接口令牌没有这一步的权限。"))
    return YES if actor.holds_in_hotline(Role.SUPERVISOR) else Decision(False, _("恢复旧版由热线的督办员办理。"))
