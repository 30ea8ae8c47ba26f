"""A town at work for the demo: who is on duty, who is away and who stands in. Made up, once, with the demo's cases."""

from __future__ import annotations

from datetime import timedelta

from lianxin.cases.reference import today_of
from lianxin.fieldwork import cover
from lianxin.fieldwork.leads import workers_of
from lianxin.fieldwork.models import Cover, Duty
from lianxin.kernel import clock
from lianxin.kernel.ids import uuid7
from lianxin.organisations.actors import actor_for
from lianxin.organisations.models import Role, RoleGrant, Staff

DAYS_AWAY = 5


def at_work() -> int:
    """In each town with a team lead the first worker is on duty since an hour ago; of three the second is away from today and the
    third stands in. Returns how many covers were arranged; none where there is one already."""
    if Cover.objects.exists():
        return 0
    count = 0
    for grant in RoleGrant.objects.filter(role=Role.TEAM_LEAD, ended_at__isnull=True).select_related("staff", "unit").order_by("id"):
        people = list(Staff.objects.filter(workers_of(grant.unit_id)).order_by("pk"))
        for person in people[:1]:
            Duty.objects.create(id=uuid7(), staff=person, on=True, at=clock.now() - timedelta(hours=1))
        if len(people) > 2:
            today = today_of(clock.now())
            cover.arrange(unit=grant.unit, absent=people[1].username, stand_in=people[2].username, starts_on=today,
                          ends_on=today + timedelta(days=DAYS_AWAY), by=actor_for(grant.staff, via="desk"))
            count += 1
    return count
