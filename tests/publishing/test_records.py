"""Records by the log: who has one, what it shows, and that it follows the case."""

from __future__ import annotations

import uuid
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest

from lianxin.cases.models import Case, Category
from lianxin.kernel.clock import Frozen
from lianxin.kernel.errors import Invalid
from lianxin.publishing import records, rules
from lianxin.publishing.models import Dated, Precision, Record, Stage, Standing, Waiting
from lianxin.publishing.queries import found
from lianxin.publishing.queries import records as page_of
from lianxin.publishing.records import case_number_of, published, record_of, reference_of, refresh
from tests.cases.ways import take, walk
from tests.publishing.made import VILLAGE, raised
from tests.world import World

pytestmark = pytest.mark.django_db
PUBLIC = ("request_publication", "clear_publication")


def test_nobody_is_shown_before_five_are_alike(world: World, october: Frozen) -> None:
    raised(world, 4)
    october.move(days=1)
    raised(world, 1)
    assert refresh().written == 0
    assert Waiting.objects.count() == 5
    october.move(days=1)
    assert refresh().written == 0, "neither day has five"
    october.set(datetime(2026, 10, 18, 16, 0, tzinfo=UTC))  # Monday 19 October, 00:00 in the city
    made = refresh()
    assert (made.written, made.waiting) == (5, 0)
    shown = Record.objects.select_related("category", "area").first()
    assert shown is not None
    assert (shown.precision, shown.dated, shown.area and shown.area.code) == (Precision.VILLAGE, Dated.WEEK, VILLAGE)
    assert shown.opened_at == datetime(2026, 10, 11, 16, 0, tzinfo=UTC), "the week's Monday, by the city's clock"
    assert shown.category is not None
    assert shown.category.code == "010102"
    assert (shown.title, shown.body, shown.case_number) == ("", "", "")


def test_a_day_is_shown_where_five_came_on_it(world: World, october: Frozen) -> None:
    raised(world, 5)
    assert refresh().written == 0, "the day is not over"
    october.move(days=1)
    assert refresh().written == 5
    assert set(Record.objects.values_list("dated", flat=True)) == {Dated.DAY}


def test_unlike_categories_are_shown_as_what_they_share(world: World, october: Frozen) -> None:
    raised(world, 3)
    raised(world, 3, category="010105")
    october.move(days=1)
    refresh()
    shown = [(one.category and one.category.code, one.kind, one.unit_id, one.due_at) for one in Record.objects.select_related("category")]
    assert shown == [("0101", "", None, None)] * 6


def test_who_found_a_crowd_is_no_crowd_for_others(world: World, october: Frozen) -> None:
    raised(world, 5)
    other = raised(world, 1, category="010105")
    october.set(datetime(2026, 12, 20, tzinfo=UTC))
    refresh()
    assert Record.objects.count() == 5
    assert list(Waiting.objects.values_list("pk", flat=True)) == other


@pytest.mark.parametrize("what", ["count", "report", "confidential"])
def test_what_is_only_counted_has_no_record(world: World, october: Frozen, what: str) -> None:
    if what == "count":
        Category.objects.filter(code="010102").update(publicity="count")
    made = raised(world, 6, kind="report" if what == "report" else None, confidential=what == "confidential")
    october.move(days=40)
    refresh()
    assert not Record.objects.exists()
    assert not Waiting.objects.exists()
    assert record_of(made[0]) is None


def test_a_city_that_comes_to_only_count_takes_records_away(world: World, october: Frozen) -> None:
    raised(world, 5)
    october.move(days=1)
    refresh()
    Category.objects.filter(code="010102").update(publicity="count")
    october.move(days=1)
    Standing.objects.update(read_to=uuid.UUID(int=2**127))
    assert refresh().gone == 5
    assert not Waiting.objects.exists()


def test_public_space_shows_the_cell_and_not_the_point(world: World, october: Frozen) -> None:
    Category.objects.filter(code="010102").update(publicity="cell")
    raised(world, 5, lon=113.1234567, lat=29.1234567)
    october.move(days=1)
    refresh()
    one = Record.objects.first()
    assert one is not None
    assert (one.precision, one.area and one.area.code) == (Precision.CELL, VILLAGE)
    assert one.lon is not None
    assert one.lat is not None
    assert 0 < abs(one.lon - 113.1234567) < 0.001
    assert set(Record.objects.values_list("lon", flat=True)) == {one.lon}


def test_cleared_words_are_there_at_once_and_gone_when_taken_back(world: World, october: Frozen) -> None:
    case_id = walk(world, world.case(area=VILLAGE), ["accept", *PUBLIC])
    assert refresh().written == 1
    number = Case.objects.values_list("number", flat=True).get(pk=case_id)
    one = published(number)
    assert one is not None
    assert (one.cleared, one.dated, one.case_number, one.said_number) == (True, Dated.EXACT, number, number)
    assert one.title
    assert published(one.number) == one
    take(world, case_id, "refuse_publication")
    assert refresh().gone == 1
    assert published(number) is None, "the case's own number says nothing any more"


def test_it_follows_the_case(world: World, october: Frozen) -> None:
    made = raised(world, 6, category="010101")
    october.move(days=1)
    refresh()
    before = Standing.objects.get().revision
    assert refresh().written == 0
    assert Standing.objects.get().revision == before, "nothing changed: readers that follow are left alone"
    walk(world, made[0], ["dispatch", "sign"])
    walk(world, made[1], ["withdraw"])
    done = refresh()
    assert (done.written, done.gone) == (1, 1)
    one = Record.objects.get(pk=made[0])
    assert (one.stage, one.revision) == (Stage.WITH_UNIT, before + 1)
    assert one.changed_at.minute == 0
    assert refresh(whole=True).written == 0, "run twice it changes nothing"


def test_what_was_corrected_is_not_shown_as_it_was(world: World, october: Frozen) -> None:
    made = raised(world, 5)
    october.move(days=1)
    refresh()
    take(world, made[0], "correct", category="010105")
    refresh()
    assert not Record.objects.filter(pk=made[0]).exists()
    assert Waiting.objects.filter(pk=made[0]).exists()


def test_a_reference_leads_to_a_case_of_the_same_minute(world: World, october: Frozen) -> None:
    case_id = raised(world, 1)[0]
    number = Case.objects.values_list("number", flat=True).get(pk=case_id)
    one = published(reference_of(number).lower().replace("-", " "))
    assert one is not None
    assert (one.precision, one.dated, one.category and one.category.code) == (Precision.CITY, Dated.DAY, "01")
    assert published(number) is None
    assert published("R-00000-00000") is None


def test_references_are_a_permutation() -> None:
    numbers = [f"26-{serial:07d}-0" for serial in range(1, 2_000)]
    made = {reference_of(number) for number in numbers}
    assert len(made) == len(numbers)
    assert all(case_number_of(reference_of(number))[:10] == number[:10] for number in numbers[:50])
    assert case_number_of("R-OIL00-12345") == "" or case_number_of("R-OIL00-12345")[:2].isdigit()
    assert [case_number_of(said) for said in ("", "R", "26-0000001-2", "R-U0000-00000")] == [""] * 4


def test_pages_hold_each_record_once(world: World, october: Frozen) -> None:
    raised(world, 7)
    october.move(days=1)
    refresh()
    for order in ("newest", "updated"):
        seen, after = [], ""
        while True:
            page = page_of(order=order, after=after, limit=3)
            seen += [one.number for one in page.rows]
            if not (after := page.after):
                break
        assert len(seen) == len(set(seen)) == 7
    with pytest.raises(Invalid):
        page_of(after="x")
    with pytest.raises(Invalid):
        page_of(order="case")


@pytest.mark.parametrize(("asked", "count"), [
    ({"county": "990101"}, 5), ({"county": "990102"}, 0), ({"area": VILLAGE}, 5), ({"area": "990101001"}, 5), ({"area": "990101"}, 5),
    ({"area": "9901"}, 5), ({"area": "990102"}, 0), ({"area": "nowhere"}, 0), ({"category": "01"}, 5), ({"category": "010101"}, 0),
    ({"stage": ["received"]}, 5), ({"stage": ["closed"]}, 0), ({"cleared": True}, 0), ({"text": "打桩"}, 0),
    ({"box": (113.0, 29.0, 113.2, 29.2)}, 5), ({"box": (110.0, 20.0, 111.0, 21.0)}, 0),
    ({"opened": (datetime(2026, 10, 11, 16, tzinfo=UTC), None)}, 5), ({"opened": (None, datetime(2026, 10, 11, 16, tzinfo=UTC))}, 0),
])
def test_narrowing(world: World, october: Frozen, asked: dict[str, Any], count: int) -> None:
    raised(world, 5)
    october.move(days=1)
    refresh()
    assert found(**asked).count() == count


def test_a_refresh_reads_what_changed_and_no_more(world: World, october: Frozen) -> None:
    made = raised(world, 8)
    october.move(days=1)
    refresh()
    Standing.objects.update(read_to=uuid.UUID(int=made[0].int + (1 << 120)))  # everything is read
    assert refresh().cases == 0
    assert records.BATCH >= 1_000


def alike() -> dict[tuple[Any, ...], int]:
    """How many records show the same of place, time and category, of those that nobody cleared."""
    likeness = ("precision", "dated", "area", "category", "opened_at")
    return Counter(Record.objects.filter(cleared=False).values_list(*likeness))


class Broken(Exception):
    """The machine stopped."""


@pytest.mark.parametrize("after", [3, 6, 9])
def test_broken_off_anywhere_nobody_stands_alone_and_the_next_one_goes_on(world: World, october: Frozen, monkeypatch: pytest.MonkeyPatch,
                                                                           after: int) -> None:
    monkeypatch.setattr(records, "BATCH", 3)
    raised(world, 7)
    raised(world, 6, category="010105")
    walk(world, world.case(area=VILLAGE), ["accept", *PUBLIC])
    october.move(days=1)
    seen: list[int] = []

    def progress(_cases: int, _written: int) -> None:
        seen.append(Standing.objects.get().revision)
        assert min(alike().values(), default=rules.K) >= rules.K, "at every moment"
        if len(seen) == after:
            raise Broken

    with pytest.raises(Broken):
        refresh(progress=progress)
    reached = Standing.objects.get()
    assert (reached.scan_after is not None) == (after < 7), "five batches of cases, and the one that sees that there are no more"
    done = refresh()
    assert sorted(alike().values()) == [6, 7]
    assert Record.objects.count() == 14
    assert Standing.objects.get().scan_after is None
    assert done.cases < 14 or after > 7, "not everything was read again, but for the last hour of the log"
    assert seen == sorted(seen)
    assert refresh().written == 0
    assert Record.objects.filter(revision__gt=Standing.objects.get().revision).count() == 0


def test_a_crowd_that_came_apart_before_it_was_written_waits_on(world: World, october: Frozen, monkeypatch: pytest.MonkeyPatch) -> None:
    made = raised(world, 5)
    october.move(days=1)
    marked = records._Run.mark

    def mark(run: Any) -> None:
        marked(run)
        take(world, made[0], "correct", category="010105")  # by somebody else, at this moment

    monkeypatch.setattr(records._Run, "mark", mark)
    assert refresh().written == 0
    assert Waiting.objects.filter(crowd__isnull=True, level__isnull=True).count() == 5
