"""Full text: two characters anywhere in a sentence, whole or half width, from the index."""

from __future__ import annotations

import dataclasses
import time
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from lianxin.cases import search
from lianxin.cases.models import Case
from lianxin.cases.search import matching, newest_matching
from lianxin.kernel.clock import Frozen
from tests.world import World

WORDS = "金鹗中路３号楼前的路灯坏了，ＢＵＳ站牌也倒了，请来电 13812342201 前先看看。"


@pytest.mark.parametrize("text", [
    "路灯", "灯坏", "3号", "３号楼", "bus", "BUS", "us站", "路灯 站牌", "13812342201", "1234", "路", "，", "路灯\x00",
])
def test_a_piece_of_the_words_finds_the_case(world: World, monday: Frozen, text: str) -> None:
    wanted, _other = world.case(words=WORDS), world.case(words="下水道堵了。")
    assert [case.pk for case in matching(Case.objects.all(), text)] == [wanted]


@pytest.mark.parametrize("text", ["路灯 下水道", "灯路", "金鹗山", "水", "B路"])
def test_what_is_not_said_is_not_found(world: World, monday: Frozen, text: str) -> None:
    world.case(words=WORDS)
    assert not matching(Case.objects.all(), text).exists()


def test_a_case_number_finds_its_case(world: World, monday: Frozen) -> None:
    case = Case.objects.get(pk=world.case(words=WORDS))
    said = case.number.replace("-", " ")
    assert [found.pk for found in matching(Case.objects.all(), said)] == [case.pk]


def test_the_index_answers(world: World, monday: Frozen) -> None:
    world.case(words=WORDS)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_indexscan = off")
    assert "case_grams" in matching(Case.objects.all(), "路灯").explain()


KINDS_OF_STATISTICS = {
    "none": search._Known(0.0, {}, [], 0.0),
    "a common word": search._Known(1_000.0, {"路灯": 0.5}, [], 0.0),
    "few of them": search._Known(1_000.0, {"路灯": 0.01}, [], 0.0),
    "an edge among them": search._Known(1_000_000.0, {"路灯": 0.015}, [], 0.0),
    "wrong": search._Known(1_000_000.0, {"路灯": 0.9}, [], 0.0),
    "not this word, few of it": search._Known(1_000_000.0, {"井盖": 0.5}, [], 0.0, least=0.01),
    "not this word, many of it": search._Known(1_000_000.0, {"井盖": 0.5}, [], 0.0, least=0.01),
}


@pytest.mark.parametrize("kind", KINDS_OF_STATISTICS)
@pytest.mark.parametrize("narrowed", [False, True])
@pytest.mark.parametrize("limit", [1, 3, 50])
def test_whatever_the_statistics_say_the_newest_are_found(world: World, monday: Frozen, monkeypatch: pytest.MonkeyPatch,
                                                          kind: str, narrowed: bool, limit: int) -> None:
    made = [world.case(words=f"{number} 号楼的{'路灯' if number % 3 else '井盖'}坏了。", category="010101" if number % 2 else "010102")
            for number in range(12)]
    known = dataclasses.replace(KINDS_OF_STATISTICS[kind], read_at=time.monotonic())
    if kind == "not this word, many of it":
        monkeypatch.setattr(search, "RARE", 3)
    if kind in ("an edge among them", "not this word, many of it"):  # such that the stretch asked first begins with the ninth
        monkeypatch.setattr(search._Known, "edge", lambda _known, _reach: made[8])
    monkeypatch.setattr(search, "_known", known)
    base = Case.objects.filter(category=world.categories["010101"]) if narrowed else Case.objects.all()
    wanted = [pk for number, pk in enumerate(made) if number % 3 and (number % 2 or not narrowed)]
    assert newest_matching(base, "路灯", limit=limit) == wanted[::-1][:limit]


def test_an_edge_leaves_about_so_many_cases_behind_it() -> None:
    known = search._Known(1_000_000.0, {}, [UUID(int=number * 10**6) for number in range(101)], 0.0)
    assert known.edge(10_000) == UUID(int=99 * 10**6)
    assert known.edge(5_000) == UUID(int=99_500_000)
    assert known.edge(999_999.9) == UUID(int=9)
    assert known.edge(1_000_000) is None
    assert search._Known(1_000_000.0, {}, [], 0.0).edge(10) is None


def test_the_server_says_how_many_pass_and_whether_an_index_has_them_in_order(world: World, monday: Frozen) -> None:
    for number in range(6):
        world.case(words=WORDS, category="010101" if number % 2 else "010102")
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_sort = off")
        cursor.execute("ANALYZE cases_case")
    search.forget()
    everything = Case.objects.all()
    assert search.passing(everything, limit=3) == (6.0, True)
    assert search.passing(everything.filter(category=world.categories["010101"]), limit=3)[1]
    assert search.passing(everything.filter(kind="help", unit_ids__overlap=[1]), limit=3)[1] is False
    assert search.passing(everything.filter(pk__in=[]), limit=3) == (0.0, True)


def test_many_seldom_words_are_no_more_than_there_is(world: World, monday: Frozen, monkeypatch: pytest.MonkeyPatch) -> None:
    seldom = ["树梢", "屋脊", "门槛", "窗棂", "台阶", "院墙"]
    wanted = world.case(words="，".join(seldom))
    shares = dict.fromkeys(seldom, 0.0001)
    monkeypatch.setattr(search, "_known", search._Known(1_000_000.0, shares, [], time.monotonic()))
    assert newest_matching(Case.objects.filter(channel="web"), " ".join(seldom), limit=50) == [wanted]


def test_what_the_statistics_do_not_know_is_not_fetched_whole(world: World, monday: Frozen, monkeypatch: pytest.MonkeyPatch) -> None:
    """A handful is all there is, in one statement; of more than that only the newest are asked for."""
    made = [world.case(words=f"{number} 号楼的路灯坏了。") for number in range(9)]
    monkeypatch.setattr(search, "_known", search._Known(1_000_000.0, {"井盖": 0.5}, [], time.monotonic(), least=0.01))
    monkeypatch.setattr(search._Known, "edge", lambda _known, _reach: made[5])
    with CaptureQueriesContext(connection) as few:
        assert newest_matching(Case.objects.all(), "路灯", limit=3) == made[::-1][:3]
    assert len(few) == 1
    monkeypatch.setattr(search, "RARE", 4)
    with CaptureQueriesContext(connection) as many:
        assert newest_matching(Case.objects.all(), "路灯", limit=3) == made[::-1][:3]
    assert [f"LIMIT {search.RARE + 1}" in one["sql"] for one in many] == [True, False]
    assert '"id" >= ' in many[1]["sql"]
    assert newest_matching(Case.objects.filter(pk__in=[]), "路灯", limit=3) == []
