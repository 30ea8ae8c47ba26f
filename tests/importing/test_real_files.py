"""Both real files: what can become a case does, and the rest is said in plain words.

Of Boston's every seventh row is enough to try every rule; `LIANXIN_WHOLE_FILES=true` takes all 81,408, minutes longer.
"""

from __future__ import annotations

import csv
import gzip
import os
from io import StringIO
from itertools import islice
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.models import Count

from lianxin.cases.importing import Import
from lianxin.cases.mapping import Mapping
from lianxin.cases.models import Case, Clock, Event, EventText
from lianxin.cases.rebuild import differences
from tests.importing import boston
from tests.world import World

ROOT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("LIANXIN_SHARED_DATA") or ROOT.parent / "shared" / "data")
STREAM = SHARED / "requests" / "stream.csv.gz"
BOSTON = SHARED / "boston311" / "2015_jan_aug.csv.gz"

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(
        not SHARED.is_dir() and os.environ.get("CI", "").lower() not in ("1", "true"),
        reason=f"the real files are not here: no folder {SHARED} (set LIANXIN_SHARED_DATA to where they are)",
    ),
]


def mapping(name: str) -> Mapping:
    return Mapping.read(ROOT / "examples" / "mappings" / f"{name}.yaml")


def test_a_year_of_messages(world: World, tmp_path: Path) -> None:
    out, rejects = StringIO(), tmp_path / "rejects.csv"
    options = {"mapping": ROOT / "examples/mappings/stream.yaml", "rejects": rejects}
    call_command("import", "cases", str(STREAM), stdout=out, **options)
    assert Case.objects.count() == 4_326 - 129
    assert "4,197" in out.getvalue()
    with rejects.open(encoding="utf-8-sig", newline="") as file:
        refused = list(csv.DictReader(file))
    assert len(refused) == 129
    assert {row["reason"] for row in refused} == {"“created”是空的。"}
    assert all(row["created"] == "" and row["id"] for row in refused)
    assert rejects.stat().st_mode & 0o077 == 0
    call_command("import", "cases", str(STREAM), stdout=out, **options)
    assert Case.objects.count() == 4_197
    case = Case.objects.get(source_id="188006")
    assert (case.source_system, case.state, case.channel) == ("message-board", "registered", "import")
    assert case.registered_at.isoformat() == "2019-02-28T03:25:05+00:00"
    assert differences(case.pk) == []


def test_rows_without_a_time_when_the_mapping_gives_one(world: World) -> None:
    raw = (ROOT / "examples/mappings/stream.yaml").read_text().replace("# default:", "default:")
    raw = raw.replace("required: [created, detail]", "required: [detail]")
    import yaml

    summary = Import(STREAM, Mapping.of(yaml.safe_load(raw)), dry_run=True).run()
    assert (summary.imported, summary.rejected) == (4_326, 0)
    assert Case.objects.count() == 0


WHOLE = os.environ.get("LIANXIN_WHOLE_FILES", "").lower() in ("1", "true")
ROWS, CLOSED, OPEN, WRONG = (81_408, 69_137, 12_096, 175) if WHOLE else (11_630, 9_917, 1_689, 24)


@pytest.mark.slow
def test_boston(transactional_db: None, tmp_path: Path) -> None:  # each batch is committed, as in a real import
    boston.make()
    file = BOSTON
    if not WHOLE:
        file = tmp_path / "part.csv"
        with gzip.open(BOSTON, "rb") as whole, file.open("wb") as part:
            part.write(whole.readline())
            part.writelines(islice(whole, 2, None, 7))
    summary = Import(file, mapping("boston")).run()
    assert (summary.read, summary.imported, summary.rejected) == (ROWS, CLOSED + OPEN, WRONG)
    assert summary.reasons == {"归档时间早于登记时间，请核对。（closed_at：早于登记时间。）": WRONG}
    assert dict(Case.objects.values_list("state").annotate(Count("id"))) == {"closed": CLOSED, "accepted": OPEN}
    assert Case.objects.filter(state="closed", outcome="imported").count() == CLOSED
    assert Case.objects.filter(area__isnull=True).count() == 0
    resolve = Clock.objects.filter(kind="resolve")
    assert resolve.filter(met_at__isnull=False).count() == CLOSED
    assert resolve.filter(met_at__isnull=True, stopped_at__isnull=True).count() == OPEN
    assert Event.objects.filter(action="close_imported").count() == CLOSED
    assert EventText.objects.filter(public=True).count() == 0
    # The source's own flag and our clocks agree on who was late, where the source names a target.
    late = Case.objects.get(source_id="101001240736")
    clock = late.clocks.get(kind="resolve")
    assert clock.due_at.isoformat() == "2015-01-16T13:30:00+00:00"
    assert clock.met_at is not None
    assert clock.met_at > clock.due_at
    event = late.events.get(action="register")
    assert event.data["due_from"] == "boston311"
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM cases_case TABLESAMPLE BERNOULLI (0.5) REPEATABLE (1)")
        for (pk,) in cursor.fetchall():
            assert differences(pk) == []
    # Once more, as far as a few batches: a whole file that comes again is tried with the year of messages.
    with (gzip.open if WHOLE else open)(file, "rb") as lines, (tmp_path / "again.csv").open("wb") as part:
        part.writelines(islice(lines, 4_001))
    again = Import(tmp_path / "again.csv", mapping("boston")).run()
    assert (again.read, again.imported, again.there_before + again.rejected) == (4_000, 0, 4_000)
    assert Case.objects.count() == CLOSED + OPEN
