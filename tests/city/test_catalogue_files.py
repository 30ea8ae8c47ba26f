"""The catalogue of the files and the catalogue of the desk: no load undoes a decision unasked, and an export holds it."""

from __future__ import annotations

import io
from datetime import date
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from lianxin.cases import reference
from lianxin.cases.catalogue import content, proposals
from lianxin.cases.catalogue.content import Line
from lianxin.cases.models import CatalogueVersion
from lianxin.city.catalogue import expand
from lianxin.city.faults import Faults
from lianxin.city.files import CATALOGUE
from lianxin.city.load import Catalogue, check, check_catalogue, load
from lianxin.city.tables import read_table
from lianxin.city.undoing import Undoing
from lianxin.city.writing import compressed
from lianxin.kernel.clock import Frozen
from lianxin.organisations.actors import actor_for
from lianxin.organisations.models import Role, RoleGrant, Staff, Unit

from .conftest import append, edit

pytestmark = pytest.mark.django_db


def decided(lead: str = "county", category: str = "010102") -> CatalogueVersion:
    """A change approved at the desk."""
    people = []
    for n in range(2):
        person, fresh = Staff.objects.get_or_create(username=f"desk{n}", defaults={"name": "某", "unit": Unit.objects.get(code="hot")})
        if fresh:
            RoleGrant.objects.create(staff=person, role=Role.SUPERVISOR, unit=person.unit)
        people.append(actor_for(person))
    reference.forget()
    made = proposals.propose(by=people[0], category=category, lead_unit=lead, basis="三定方案", why="都归县里。")
    version = proposals.approve(made.pk, by=people[1]).version
    reference.forget()
    assert version is not None
    return version


@pytest.fixture
def loaded(hill: Path, monday: Frozen) -> Path:
    load(hill)
    return hill


def lead() -> str:
    return next(line.lead for line in content.content_of(CatalogueVersion.objects.latest("number"))
                if line.category == "010102" and not line.area)


def test_a_load_does_not_undo_what_was_decided(loaded: Path) -> None:
    version = decided()
    edit(loaded / "units.csv", "云山市水利局,水利局", "云山市水务局,水利局")
    with pytest.raises(Undoing) as caught:
        load(loaded)
    assert [(one.kind, one.line.lead) for one in caught.value.undone] == [("added", "water"), ("removed", "county")]
    assert Unit.objects.get(code="water").name == "云山市水利局"  # nothing was written
    assert CatalogueVersion.objects.latest("number") == version
    out, err = io.StringIO(), io.StringIO()
    with pytest.raises(CommandError, match="2"):
        call_command("load", "city", str(loaded), stdout=out, stderr=err)
    assert "county" in err.getvalue()
    assert "--replace-catalogue" in err.getvalue()


def test_a_check_shows_the_difference(loaded: Path) -> None:
    decided()
    append(loaded / "catalogue.csv", "010101,,990201,county,,,,属地")
    changed, lost = check_catalogue(loaded)
    assert {one.line.category for one in changed} == {"010101", "010102"}
    assert {one.line.category for one in lost} == {"010102"}
    out, err = io.StringIO(), io.StringIO()
    call_command("load", "city", str(loaded), check=True, stdout=out, stderr=err)
    assert "010101 × 990201" in out.getvalue()
    assert "010102" in err.getvalue()
    assert "010101" not in err.getvalue()


def test_it_goes_on_when_told_how(loaded: Path) -> None:
    decided()
    edit(loaded / "units.csv", "云山市水利局,水利局", "云山市水务局,水利局")
    load(loaded, catalogue=Catalogue.KEEP)
    assert Unit.objects.get(code="water").name == "云山市水务局"
    assert (lead(), CatalogueVersion.objects.count()) == ("county", 2)
    append(loaded / "catalogue.csv", "010101,,990201,county,,,,属地")
    load(loaded, catalogue=Catalogue.REPLACE)
    assert (lead(), CatalogueVersion.objects.count()) == ("water", 3)
    edit(loaded / "catalogue.csv", "供水条例\n010102", "供水条例第二条\n010102")
    load(loaded)  # what was replaced is settled: the next load asks nothing
    assert CatalogueVersion.objects.latest("number").source == "files"


def test_what_the_file_changes_elsewhere_needs_no_asking(loaded: Path) -> None:
    decided()
    call_command("export_catalogue", str(loaded / "catalogue.csv"), stderr=io.StringIO())
    append(loaded / "catalogue.csv", "010101,,990201,county,,,,属地")
    load(loaded)
    assert (lead(), CatalogueVersion.objects.count()) == ("county", 3)


def test_an_export_holds_the_version_in_force(loaded: Path) -> None:
    version = decided()
    call_command("export_catalogue", str(loaded / "catalogue.csv"), stderr=io.StringIO())
    load(loaded)
    assert CatalogueVersion.objects.latest("number") == version  # the same rules: no new version
    assert lead() == "county"
    written = (loaded / "catalogue.csv").read_text(encoding="utf-8")
    assert "010103,村务咨询,990201001,town," in written
    out = io.StringIO()
    call_command("export_catalogue", number=1, stdout=out)
    assert "010102,水管破裂,,water," in out.getvalue()
    with pytest.raises(CommandError):
        call_command("export_catalogue", number=9)
    with pytest.raises(CommandError):
        call_command("export_catalogue", str(loaded / "nowhere" / "catalogue.csv"))


def test_a_version_to_come_is_not_overtaken_by_a_load(loaded: Path) -> None:
    people = decided().created_by
    assert people is not None
    made = proposals.propose(by=actor_for(people), category="010101", lead_unit="county", basis="三定方案", why="归县里。")
    other = Staff.objects.get(username="desk0")
    later = proposals.approve(made.pk, by=actor_for(other), on=date(2026, 12, 1)).version
    assert later is not None
    append(loaded / "catalogue.csv", "010103,,990201,county,,,,属地")
    load(loaded, catalogue=Catalogue.REPLACE)
    newest = CatalogueVersion.objects.latest("number")
    assert (newest.source, newest.in_force_from) == ("files", later.in_force_from)


def test_a_catalogue_gives_nothing_to_a_village(hill: Path) -> None:
    append(hill / "units.csv", "garden,松林村村委会,,Village Committee,town_government,town,990201001001,,属地,,")
    append(hill / "catalogue.csv", "010103,,990201001,garden,,,,属地")
    assert any("garden" in str(fault) and "村社区或网格" in str(fault) for fault in check(hill))


LEVELS = {"county": ["11", "12", "13"], "town": ["1101", "1201"]}


@pytest.mark.parametrize("lines", [
    [Line("01", code, f"{code}-x", (f"{code}-y", "z"), basis="法") for code in LEVELS["county"]],
    [*(Line("01", code, f"{code}-x") for code in LEVELS["county"][:2]), Line("01", "13", "city")],
    [*(Line("01", code, "city", ("13-x",)) for code in LEVELS["county"][:2]), Line("01", "13", "town")],
    [Line("01", code, f"{code}-x") for code in LEVELS["county"][:2]],  # not all: no pattern
    [Line("01", code, code) for code in LEVELS["town"]] + [Line("02", "", "a", valid_from=date(2026, 1, 1)), Line("", "11", "b")],
    [*(Line("01", code, f"{code}-x", valid_from=date(2026, 1, 1), valid_to=date(2027, 1, 1)) for code in LEVELS["county"]),
     *(Line("01", code, f"{code}-z", valid_from=date(2027, 1, 1)) for code in LEVELS["county"])],
])
def test_written_and_read_again_it_is_the_same(lines: list[Line], tmp_path: Path) -> None:
    import csv

    from lianxin.city.writing import _rows

    units = {unit for line in lines for unit in (line.lead, *line.assisting)}
    with (tmp_path / "catalogue.csv").open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow([column.name for column in CATALOGUE.columns])
        writer.writerows(_rows(compressed(lines, LEVELS, units), {}))
    faults = Faults()
    read = expand(read_table(tmp_path, CATALOGUE, faults), units=units,
                  levels={code: level for level, codes in LEVELS.items() for code in codes}, faults=faults)
    assert faults.found == []
    assert content.digest(rule.said() for rule in read) == content.digest(lines)
