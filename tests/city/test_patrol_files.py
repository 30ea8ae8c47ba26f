"""Forms and rounds among a city's files: loaded, changed, loaded again; faults between files are told with file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from lianxin.city.changes import Change
from lianxin.city.faults import BadCity
from lianxin.city.load import check, load
from lianxin.patrols.models import Form, FormVersion, Round
from lianxin.places.models import Site
from tests.city.conftest import append, edit

FORM, ROUNDS = "forms/well.csv", "rounds.csv"


def places(code: str = "wells") -> set[str]:
    return {str(place.site or place.area) for place in Round.objects.get(code=code).places.all()}


@pytest.mark.django_db
def test_a_changed_form_is_its_next_version(hill: Path) -> None:
    load(hill)
    assert places() == {"上坡小学", "中坡村民委员会"}
    first = FormVersion.objects.get()
    edit(hill / FORM, "水位多少厘米？", "井里水位多少厘米？")
    edit(hill / ROUNDS, ",7,", ",14,")
    loaded = load(hill)
    assert (loaded.changes["forms"], loaded.changes["rounds"]) == (Change(changed=1), Change(changed=1))
    assert [one.number for one in FormVersion.objects.order_by("number")] == [1, 2]
    first.refresh_from_db()
    assert first.definition["questions"][2]["label"] == "水位多少厘米？"
    assert Round.objects.get().every == 14
    edit(hill / "units.csv", "云山市12345热线", "云山市12345热线中心")
    load(hill)
    assert FormVersion.objects.count() == 2, "nothing else makes a version"


@pytest.mark.django_db
def test_what_is_gone_is_no_longer_asked(hill: Path) -> None:
    load(hill)
    (hill / ROUNDS).unlink()
    (hill / FORM).unlink()
    loaded = load(hill)
    assert (loaded.changes["forms"], loaded.changes["rounds"]) == (Change(closed=1), Change(closed=1))
    assert not Form.objects.filter(active=True).exists()
    assert not Round.objects.filter(active=True).exists()
    assert FormVersion.objects.count() == 1


@pytest.mark.django_db
def test_a_site_that_is_gone_stays_for_what_was_done_there(hill: Path) -> None:
    load(hill)
    edit(hill / "areas" / "sites.csv", "school-1,上坡小学,school,上坡完小,990201001001,121.004,31.006,1\n", "")
    assert load(hill).changes["sites"] == Change(closed=1)
    assert Site.objects.get(code="school-1").active is False
    assert places() == {"中坡村民委员会"}
    append(hill / "areas" / "sites.csv", "school-1,上坡小学,school,上坡完小,990201001001,121.004,31.006,1")
    load(hill)
    assert Site.objects.get(code="school-1").active is True
    assert places() == {"上坡小学", "中坡村民委员会"}


ROW = "wells2,看井,Wells,{form},{kinds},{within},{sites},{areas},{every},{calendar},2026-01-05,"
GOOD = {"form": "well", "kinds": "school", "within": "", "sites": "", "areas": "", "every": "7", "calendar": "working"}


@pytest.mark.parametrize(("wrong", "word"), [
    ({"form": "fire"}, "fire"), ({"kinds": ""}, "kinds"), ({"within": "1"}, "within"), ({"sites": "school-9"}, "school-9"),
    ({"areas": "1"}, "areas"), ({"every": "0"}, "every"), ({"every": "367"}, "every"), ({"every": ""}, "every"),
    ({"calendar": "lunar"}, "lunar"),
])
def test_a_fault_of_a_round_names_its_line(hill: Path, wrong: dict[str, str], word: str) -> None:
    append(hill / ROUNDS, ROW.format(**GOOD))
    assert check(hill) == []
    append(hill / ROUNDS, ROW.replace("wells2", "wells3").format(**(GOOD | wrong)))
    found = check(hill)
    assert [(one.file, one.line) for one in found] == [(ROUNDS, 4)]
    assert word in found[0].reason


@pytest.mark.django_db
def test_a_fault_of_a_form_names_its_line_and_nothing_is_loaded(hill: Path) -> None:
    edit(hill / FORM, "open_well,${covered} = 'no',井盖没盖,Open well,巡查发现井盖没盖好。,010101",
         "open_well,${covered} = 'no',井盖没盖,Open well,巡查发现井盖没盖好。,019999")
    (hill / "forms" / "notes.txt").write_text("看这里", encoding="utf-8")
    (hill / "forms" / "broken.csv").write_text("settings,form_title\n", encoding="utf-8")
    with pytest.raises(BadCity) as raised:
        load(hill)
    told = {(one.file, one.line) for one in raised.value.faults}
    assert (FORM, 11) in told
    assert ("forms/notes.txt", 0) in told
    assert ("forms/broken.csv", 0) in told
    assert not Form.objects.exists()
