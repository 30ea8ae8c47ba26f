"""Writing a checked plan: rows are matched by code, what is gone from the files is closed, nothing is deleted."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from lianxin.cases.catalogue import versions
from lianxin.cases.catalogue.content import digest, newest
from lianxin.cases.models import CatalogueSource, CatalogueVersion, Category, Clock, Phrase, Publicity
from lianxin.organisations.models import Role, RoleGrant, Staff, Unit, WorkCalendar
from lianxin.quality.models import ChecklistItem
from lianxin.worktime.definition import LEGAL

from .plan import Plan
from .tables import Row

BATCH = 500
Ids = Mapping[str, int]


def _levels(rows: list[Row]) -> list[list[Row]]:
    """Rows in layers, parents first."""
    by_code = {row["code"]: row for row in rows}
    depth: dict[str, int] = {}
    for row in rows:
        line = [row["code"]]
        while line[-1] not in depth and by_code[line[-1]]["parent"]:
            line.append(by_code[line[-1]]["parent"])
        at = depth.get(line[-1], 0)
        for steps, code in enumerate(reversed(line)):
            depth[code] = at + steps
    layers: list[list[Row]] = [[] for _ in range(max(depth.values(), default=-1) + 1)]
    for row in rows:
        layers[depth[row["code"]]].append(row)
    return layers


def counted(plan: Plan) -> list[str]:
    """Codes of calendars in which any clock was ever counted."""
    return [code for code in sorted(plan.calendar_codes) if Clock.objects.filter(calendar=code).exists()]


def calendars(plan: Plan) -> int:
    """Calendars by code. One that is gone is no longer offered; its clocks run on in it, through years just published."""
    WorkCalendar.objects.bulk_create(
        [WorkCalendar(active=True, **{name: row[name] for name in ("code", "name", "name_en", "definition")})
         for row in plan.calendars],
        update_conflicts=True, unique_fields=["code"], update_fields=["name", "name_en", "definition", "active"],
    )
    years: list[Any] = next((row["definition"].get("years", []) for row in plan.calendars if row["definition"]["base"] == LEGAL), [])
    gone = list(WorkCalendar.objects.exclude(code__in=plan.calendar_codes))
    for calendar in gone:
        calendar.active = False
        if calendar.definition["base"] == LEGAL:
            calendar.definition["years"] = years
    WorkCalendar.objects.bulk_update(gone, ["active", "definition"])
    return len(plan.calendars)


def units(plan: Plan, area_ids: Ids, today: date) -> dict[str, int]:
    """Units by code; one that is gone from the file is closed from today."""
    ids: dict[str, int] = {}
    fields = ("name", "short_name", "name_en", "kind", "calendar", "duties", "active_from", "active_to")
    for layer in _levels(plan.units):
        made = Unit.objects.bulk_create(
            [
                Unit(
                    code=row["code"], parent_id=ids.get(row["parent"]), area_id=area_ids.get(row["area"]),
                    **{name: row[name] for name in fields} | {"calendar": row["calendar"] or "working"},
                )
                for row in layer
            ],
            batch_size=BATCH, update_conflicts=True, unique_fields=["code"],
            update_fields=[*fields, "parent", "area"],
        )
        ids |= {unit.code: unit.pk for unit in made}
    Unit.objects.exclude(code__in=ids).filter(active_to__isnull=True).update(active_to=today)
    return ids


def categories(plan: Plan) -> dict[str, int]:
    """Categories by code, with their keywords; one that is gone is no longer offered."""
    ids: dict[str, int] = {}
    public: dict[str, str] = {}  # each has that of the category above it, unless it says otherwise
    fields = ("name", "name_en", "field_matter", "complex_allowed", "plain_name", "plain_name_en", "quick_topic", "added")
    for level, layer in enumerate(_levels(plan.categories), start=1):
        public |= {row["code"]: row["publicity"] or public.get(row["parent"], Publicity.AREA) for row in layer}
        made = Category.objects.bulk_create(
            [
                Category(
                    code=row["code"], parent_id=ids.get(row["parent"]), level=level,
                    is_leaf=row["code"] in plan.leaves, kind=row["kind"] or "help",
                    urgency=row["urgency"] or "normal", keywords=plan.keywords.get(row["code"], {}), active=True,
                    publicity=public[row["code"]],
                    **{name: row[name] for name in fields},
                )
                for row in layer
            ],
            batch_size=BATCH, update_conflicts=True, unique_fields=["code"],
            update_fields=[*fields, "parent", "level", "is_leaf", "kind", "urgency", "keywords", "active", "publicity"],
        )
        ids |= {category.code: category.pk for category in made}
    Category.objects.exclude(code__in=ids).update(active=False, quick_topic=None)
    return ids


def catalogue(plan: Plan, at: datetime, *, keep: bool) -> CatalogueVersion:
    """The next version, in force from now – or with the newest, where that comes into force later; the version before stays
    as it was. The same rules make no new version; `keep` leaves the newest as it is."""
    versions.hold()
    lines, latest = [rule.said() for rule in plan.rules], newest()
    if latest is not None and (keep or latest.content_hash == digest(lines)):
        return latest
    start = max(at, latest.in_force_from) if latest is not None else at
    return versions.make(lines, at=at, in_force_from=start, source=CatalogueSource.FILES, note=plan.directory.name)


def phrases(plan: Plan) -> int:
    fields = ("name", "name_en", "words", "words_en")
    count = 0
    for name, rows in ((Phrase.List.DECLINE_ROUTE, plan.routes), (Phrase.List.RETURN_REASON, plan.reasons)):
        Phrase.objects.bulk_create(
            [
                Phrase(list=name, code=row["code"], position=place, active=True, **{field: row[field] for field in fields})
                for place, row in enumerate(rows, start=1)
            ],
            update_conflicts=True, unique_fields=["list", "code"], update_fields=[*fields, "position", "active"],
        )
        Phrase.objects.filter(list=name).exclude(code__in=[row["code"] for row in rows]).update(active=False)
        count += len(rows)
    return count


def checklist(plan: Plan, category_ids: Ids) -> int:
    """The reviewer's questions in the order of the file; one that is gone is no longer asked, and its words stay."""
    fields = ("question", "question_en", "required", "na_allowed", "field_only")
    kept: list[int] = []
    for place, row in enumerate(plan.checklist, start=1):
        item, _made = ChecklistItem.objects.update_or_create(
            code=row["code"], category_id=category_ids.get(row["category"]),  # type: ignore[misc]
            defaults={"position": place, "active": True, **{name: row[name] for name in fields}},
        )
        kept.append(item.pk)
    ChecklistItem.objects.exclude(pk__in=kept).update(active=False)
    return len(kept)


def staff(plan: Plan, unit_ids: Ids, area_ids: Ids, at: datetime) -> int:
    """People by username. The file is the truth about the roles it gave: whoever is gone from it loses them, while
    what an administrator has granted by hand (`granted_by`) stays. So do the grids that a team lead has given a grid worker.

    A new person has no usable password until one is set; what someone has set is never touched.
    """
    known = {person.username: person for person in Staff.objects.filter(username__in=[row["username"] for row in plan.staff])}
    fresh: list[Staff] = []
    changed: list[Staff] = []
    for row in plan.staff:
        person = known.get(row["username"])
        if person is None:
            person = Staff(username=row["username"], date_joined=at)
            person.set_unusable_password()
            fresh.append(person)
        elif (person.name, person.unit_id) != (row["name"], unit_ids[row["unit"]]):
            changed.append(person)
        person.name, person.unit_id = row["name"], unit_ids[row["unit"]]
    Staff.objects.bulk_create(fresh, batch_size=BATCH)
    Staff.objects.bulk_update(changed, ["name", "unit"], batch_size=BATCH)
    people = {person.username: person.pk for person in (*known.values(), *fresh)}

    listed = set(people.values())
    wanted: dict[tuple[int, str, int, int | None], RoleGrant] = {}
    for row in plan.staff:
        for role, area in ((role, area) for role in row["roles"] for area in row["area"] or [""]):
            key = (people[row["username"]], str(role), unit_ids[row["unit"]], area_ids.get(area))
            wanted[key] = RoleGrant(staff_id=key[0], role=role, unit_id=key[2], area_id=key[3], granted_at=at)
    held = list(RoleGrant.objects.filter(ended_at__isnull=True))
    arranged = {(grant.staff_id, grant.unit_id) for grant in held if grant.role == Role.GRID_WORKER and grant.granted_by_id is not None}

    def of_the_desk(staff_id: int, role: str, unit_id: int) -> bool:
        return role == Role.GRID_WORKER and (staff_id, unit_id) in arranged

    wanted = {key: grant for key, grant in wanted.items() if not of_the_desk(*key[:3])}
    standing: dict[tuple[int, str, int, int | None], Any] = {
        (grant.staff_id, grant.role, grant.unit_id, grant.area_id): grant.pk
        for grant in held
        if (grant.staff_id in listed or grant.granted_by_id is None)
        and not of_the_desk(grant.staff_id, grant.role, grant.unit_id)
    }
    over = [pk for key, pk in standing.items() if key not in wanted]
    RoleGrant.objects.filter(pk__in=over).update(ended_at=at)
    RoleGrant.objects.bulk_create([grant for key, grant in wanted.items() if key not in standing], batch_size=BATCH)
    return len(people)
