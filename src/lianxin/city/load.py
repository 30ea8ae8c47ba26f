"""Loading a city: check everything, then write everything in one transaction, or nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from django.db import connection, transaction
from django.utils.translation import gettext as _

from lianxin.cases import reference
from lianxin.cases.catalogue.content import Difference
from lianxin.cases.tasks import recompute_due_times
from lianxin.kernel.clock import now
from lianxin.kernel.language import listed
from lianxin.places import gazetteer, locate
from lianxin.places.models import City

from . import areas, calendars, knowledge, linkage, patrols, services, store, terms, undoing
from .changes import Change, between, picture
from .faults import BadCity, Fault
from .plan import Plan, read
from .undoing import Undoing

# Part of the content hash: raise it when the same files should make other rows.
FORM = "2"
SETTLED_AFTER = 10
SHOWN_VILLAGES = 20
_LOCK = 430_600_012_345  # any number nobody else locks
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a load did. `changed` is False when the files were those of the last load. `counts` are what the
    files hold, `changes` what became of the database, both by table."""

    code: str
    name: str
    changed: bool
    counts: dict[str, int] = field(default_factory=dict)
    changes: dict[str, Change] = field(default_factory=dict)


def digest_of(directory: Path) -> str:
    """SHA-256 over the names and contents of every file of the city, and of what its areas are built from."""
    total = hashlib.sha256(FORM.encode())
    for path in sorted(p for p in directory.rglob("*") if p.is_file() and not p.name.startswith(".")):
        content = path.read_bytes()
        total.update(f"\0{path.relative_to(directory).as_posix()}\0{len(content)}\0".encode())
        total.update(content)
    total.update(areas.fingerprint().encode())
    return total.hexdigest()


def check(directory: Path) -> list[Fault]:
    """Every fault of the files; an empty list when they can be loaded."""
    from lianxin.cases.reference import today_of

    return read(directory, today=today_of(now())).faults.found


def check_catalogue(directory: Path) -> tuple[list[Difference], list[Difference]]:
    """What the files would change in the dispatch catalogue, and what of it would undo decisions of the desk. For files
    without faults."""
    plan = read(directory.resolve(), today=reference.today_of(now()))
    return undoing.changes(plan), undoing.undone(plan)


class Catalogue(StrEnum):
    """What to do when the files would undo what was decided at the desk."""

    ASK = "ask"
    KEEP = "keep"
    REPLACE = "replace"


def load(directory: Path, *, catalogue: Catalogue = Catalogue.ASK, replace_grids: bool = False,
         tell: Tell = lambda words: None) -> Loaded:
    """Put the city in `directory` into the database. Raises BadCity, having changed nothing.

    Raises Undoing, having changed nothing, when the dispatch catalogue of the files lacks what was approved at the desk
    since the last load and `catalogue` does not say what to do: KEEP loads all but the catalogue, REPLACE undoes the
    decisions. Grids that were changed in the application stay, and `tell` hears of which villages, unless `replace_grids`
    takes the files'. Loading the same files again costs a hash and one query.
    """
    directory = directory.resolve()
    content = digest_of(directory) if directory.is_dir() else ""
    city = City.objects.order_by("id").first()
    if city is not None and content and city.content_hash == content and not replace_grids:
        return Loaded(city.code, city.name, changed=False)
    tell(_("检查文件"))
    plan = read(directory, today=reference.today_of(now()))
    if city is not None and plan.settings.get("code") not in (None, city.code):
        plan.faults.add("city.yaml", 0, _("这个系统已装入 %(name)s（%(code)s），不能再装另一个城市")
                        % {"name": city.name, "code": city.code})
    if plan.faults.found:
        raise BadCity(plan.faults.found)
    calendars.keep_the_past(plan.calendars, counted=store.counted(plan), today=reference.today_of(now()), faults=plan.faults)
    terms.keep_the_past(plan, today=reference.today_of(now()))
    if plan.faults.found:
        raise BadCity(plan.faults.found)
    with transaction.atomic():
        with connection.cursor() as cursor:
            # A first load of thousands of areas may outlast the limit set for pages.
            cursor.execute("SET LOCAL statement_timeout = 0")
            cursor.execute("SET LOCAL lock_timeout = 0")
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        done = City.objects.order_by("id").first()
        if done is not None and done.content_hash == content and not replace_grids:  # another process was quicker
            return Loaded(done.code, done.name, changed=False)
        lost = undoing.undone(plan)
        if lost and catalogue is Catalogue.ASK:
            raise Undoing(lost)
        before = picture()
        counts = _write(plan, content, tell, keep=bool(lost) and catalogue is Catalogue.KEEP,
                        replace_grids=replace_grids)
        changes = between(before, picture())
        # A few seconds later, when no process reckons by the calendars as they were.
        recompute_due_times.configure(schedule_in={"seconds": SETTLED_AFTER}).defer()
    for held in (reference, locate, gazetteer):
        held.forget()
    return Loaded(plan.settings["code"], plan.settings["name"], changed=True, counts=counts, changes=changes)


def _write(plan: Plan, content: str, tell: Tell, *, keep: bool, replace_grids: bool) -> dict[str, int]:
    at = now()
    today = reference.today_of(at)
    settings = plan.settings
    City.objects.update_or_create(
        code=settings["code"],
        defaults={"name": settings["name"], "name_en": settings["name_en"], "settings": settings, "loaded_at": at,
                  "content_hash": content},
    )
    tell(_("写入区划"))
    area_ids = plan.areas.store(replace_grids=replace_grids)
    _tell_of_grids(plan, tell)
    tell(_("写入单位、事项和派单目录"))
    count = store.calendars(plan)
    unit_ids = store.units(plan, area_ids, today)
    category_ids = store.categories(plan)
    counts = {"areas": len(area_ids), "calendars": count, "units": len(unit_ids), "categories": len(category_ids),
              **terms.written(plan, today, {"category": category_ids, "unit": unit_ids})}
    version = store.catalogue(plan, at, keep=keep)
    counts["catalogue_rules"] = len(plan.rules)
    counts["catalogue_version"] = version.number
    counts["phrases"] = store.phrases(plan)
    counts["checklist"] = store.checklist(plan, category_ids)
    tell(_("写入知识和人员"))
    counts["articles"] = knowledge.articles(plan, {"category": category_ids, "unit": unit_ids, "area": area_ids}, at)
    counts["synonyms"] = knowledge.synonyms(plan)
    counts |= patrols.store(plan, area_ids)
    counts |= linkage.store(plan)
    counts["service_attributes"] = services.store(plan, category_ids)
    counts["staff"] = store.staff(plan, unit_ids, area_ids, at)
    return counts


def _tell_of_grids(plan: Plan, tell: Tell) -> None:
    """Nothing drawn in the application is kept or moved in silence."""
    if kept := plan.areas.kept_grids:
        tell(_("网格在工作台改过，没有用文件里的：%(names)s（要以文件为准，加 --replace-grids）")
             % {"names": listed(kept[:SHOWN_VILLAGES]) + ("…" if len(kept) > SHOWN_VILLAGES else "")})
    if fitted := plan.areas.fitted_grids:
        tell(_("村界变了，工作台画的网格已随村界调整，请核对：%(names)s")
             % {"names": listed(fitted[:SHOWN_VILLAGES]) + ("…" if len(fitted) > SHOWN_VILLAGES else "")})
