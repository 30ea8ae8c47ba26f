"""Rounds already walked, for the demo: made up, once, with the demo's cases. Most places were looked at in time, some fall due."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import transaction

from lianxin.kernel import clock
from lianxin.kernel.ids import uuid7
from lianxin.organisations.models import Role, RoleGrant
from lianxin.patrols import forms
from lianxin.patrols.dues import lineage_of
from lianxin.patrols.models import CheckIn, How, Inspection, RoundPlace

# Form → answers where all is well, and where something is not (without the photos a worker would take: those questions are left out).
ANSWERS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "fire_exit": ({"stairs_clear": "yes", "lights_work": "yes", "extinguishers_missing": 0, "bikes_charging": "no"},
                  {"stairs_clear": "no", "blocked_by": ["goods"], "cleared_now": "yes", "lights_work": "no", "extinguishers_missing": 2,
                   "bikes_charging": "no"}),
    "flood_point": ({"weather": "dry", "water_cm": 180, "bank_whole": "yes", "drain_clear": "yes", "sign_up": "yes"},
                    {"weather": "rain", "water_cm": 90, "bank_whole": "yes", "drain_clear": "no", "sign_up": "yes"}),
    "parcel_depot": ({"open_now": "yes", "way_out": "yes", "extinguishers": 2, "charging": "no"},
                     {"open_now": "yes", "way_out": "yes", "extinguishers": 1, "charging": "yes", "trouble": ["wires"]}),
    "school_gate": ({"time": "morning", "guarded": "yes", "way_free": "yes", "bollards": "yes", "stalls": 0},
                    {"time": "evening", "guarded": "yes", "way_free": "no", "in_way": ["cars"], "bollards": "yes", "stalls": 4}),
}
LATE, BAD = 6, 7  # every sixth place is overdue, every seventh was not well


@transaction.atomic
def walked() -> int:
    """One inspection at each place of a round, by a worker whose area it lies in where there is one, with a check-in at the sites
    on the day. Returns how many; none where there are inspections already."""
    versions = {one.form.code: one for one in forms.current()}
    grants = RoleGrant.objects.filter(role=Role.GRID_WORKER, ended_at__isnull=True).select_related("unit").order_by("staff_id")
    workers = {grant.area_id or grant.unit.area_id: grant.staff_id for grant in grants}
    if Inspection.objects.exists() or not workers:
        return 0
    anybody, found = min(workers.values()), []
    places = RoundPlace.objects.filter(round__form__code__in=ANSWERS).select_related("round__form", "site", "area").order_by("pk")
    for n, place in enumerate(places):
        code, every = place.round.form.code, place.round.every
        if code not in versions:
            continue
        staff_id = next((workers[area] for area in lineage_of(place) if area in workers), anybody)
        ago = timedelta(days=every + 3 if n % LATE == LATE - 1 else n % every, hours=2, minutes=7 * n % 60)
        found.append(Inspection(pk=uuid7(), version=versions[code], site=place.site, area=place.area, staff_id=staff_id,
                                at=clock.now() - ago, answers=ANSWERS[code][n % BAD == BAD - 1]))
    Inspection.objects.bulk_create(found)
    CheckIn.objects.bulk_create([CheckIn(pk=uuid7(), staff_id=one.staff_id, site=one.site, how=How.QR, at=one.at - timedelta(minutes=4))
                                 for one in found if one.site is not None])
    return len(found)
