"""Forms and rounds of a city: forms/*.csv and forms/*.xlsx as XLSForm, rounds.csv for where and how often."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from lianxin.patrols.models import Form, FormVersion, Round, RoundPlace
from lianxin.patrols.xlsform import FormFile, read_form
from lianxin.places.models import Site

from .checks import dates, known
from .faults import Faults
from .tables import Row

if TYPE_CHECKING:
    from .plan import Plan

FOLDER = "forms"
SUFFIXES = (".csv", ".xlsx")
Ids = Mapping[str, int]


def read_forms(directory: Path, faults: Faults) -> list[FormFile]:
    """Every form of the folder, by name. Two files of one name in both formats are a fault."""
    found: dict[str, FormFile] = {}
    folder = directory / FOLDER
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        if not path.is_file() or path.name.startswith((".", "~$")):
            continue
        name = f"{FOLDER}/{path.name}"
        if path.suffix not in SUFFIXES:
            faults.add(name, 0, _("表单应是 .csv 或 .xlsx 文件"))
            continue
        form = read_form(path, partial(faults.add, name))
        if path.stem in found:
            faults.add(name, 0, _("%s 写了两次") % path.stem)
        elif form is not None:
            found[path.stem] = form
    return list(found.values())


def check(plan: Plan) -> None:
    """Every fault of forms and rounds that lies between files."""
    faults = plan.faults
    for form in plan.forms:
        for code, line in form.categories.items():
            if plan.leaves and code not in plan.leaves:
                file = next(f"{FOLDER}/{form.code}{suffix}" for suffix in SUFFIXES
                            if (plan.directory / FOLDER / f"{form.code}{suffix}").is_file())
                faults.add(file, line, _("%s 不是末级事项") % code)
    codes = {path.stem for path in (plan.directory / FOLDER).glob("*")}
    sites, levels = plan.areas.files.tables.sites, plan.areas.levels
    for row in plan.rounds:
        dates(faults, row, "valid_from", "valid_to")
        known(faults, row, "form", codes)
        known(faults, row, "calendar", plan.calendar_codes)
        if not (row["kinds"] or row["sites"] or row["areas"]):
            faults.add(row.file, row.line, _("kinds、sites、areas 至少要写一项"))
        if not plan.areas.complete:
            continue
        known(faults, row, "within", levels)
        for name, there in (("sites", sites), ("areas", levels)):
            for code in row[name]:
                if code not in there:
                    faults.add(row.file, row.line, _("%(name)s：没有 %(value)s") % {"name": name, "value": code})


def _forms(plan: Plan) -> dict[str, int]:
    """Forms by code; what is asked otherwise than before is the next version. Returns code → id."""
    ids = {}
    for read in plan.forms:
        form, _made = Form.objects.update_or_create(code=read.code, defaults={"active": True})
        latest = form.versions.order_by("-number").first()
        if latest is None or latest.digest != read.digest:
            FormVersion.objects.create(form=form, number=latest.number + 1 if latest else 1, title=read.title, title_en=read.title_en,
                                       definition=read.definition, digest=read.digest)
        ids[read.code] = form.pk
    Form.objects.exclude(code__in=ids).update(active=False)
    return ids


def _within(plan: Plan, code: str, within: str) -> bool:
    areas = plan.areas.files.tables.areas
    while code and code != within:
        code = areas[code].parent
    return bool(code) or not within


def _places(plan: Plan, row: Row) -> tuple[list[str], list[str]]:
    """Codes of a round's sites and areas: those of its kinds inside `within`, and those it names."""
    tables = plan.areas.files.tables
    sites = [code for code, site in tables.sites.items() if site.kind in row["kinds"] and _within(plan, site.area, row["within"])]
    return sorted({*sites, *row["sites"]}), sorted(set(row["areas"]))


def store(plan: Plan, area_ids: Ids) -> dict[str, int]:
    """Write forms and rounds; returns how many the files hold."""
    forms = _forms(plan)
    site_ids = dict(Site.objects.values_list("code", "pk"))
    for row in plan.rounds:
        said: dict[str, Any] = {name: row[name] for name in ("name", "name_en", "every", "valid_from", "valid_to")}
        one, _made = Round.objects.update_or_create(code=row["code"], defaults={
            **said, "form_id": forms[row["form"]], "calendar": row["calendar"], "active": True})
        sites, areas = _places(plan, row)
        wanted = {(site_ids[code], None) for code in sites} | {(None, area_ids[code]) for code in areas}
        held = {(place.site_id, place.area_id): place.pk for place in one.places.all()}
        RoundPlace.objects.filter(pk__in=[pk for key, pk in held.items() if key not in wanted]).delete()
        RoundPlace.objects.bulk_create([RoundPlace(round=one, site_id=site, area_id=area) for site, area in sorted(
            wanted - held.keys(), key=lambda pair: (pair[0] or 0, pair[1] or 0))])
    Round.objects.exclude(code__in=[row["code"] for row in plan.rounds]).update(active=False)
    return {"forms": len(forms), "rounds": len(plan.rounds)}
