"""Suggestions: near in place, time and words, with the reason; never by who said it, and never twice against a person's word."""

from __future__ import annotations

import dataclasses
import random
import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.translation import override

from lianxin.bench.words import Writer
from lianxin.cases import actions as a
from lianxin.cases import duplicates, nearness, search
from lianxin.cases.likeness import places_shared
from lianxin.cases.models import Case, Distinct, State
from lianxin.kernel.clock import Frozen, now
from lianxin.kernel.errors import Invalid, NotAllowed, NotFound
from tests.cases.ways import VILLAGE, take
from tests.world import RESIDENT, World

pytestmark = pytest.mark.django_db

LON, LAT = 113.1, 29.1


def said(words: str, **more: object) -> Case:
    values: dict[str, object] = {"area": VILLAGE}
    made = a.register(intake=a.Intake(words=words, **(values | more)), by=RESIDENT)  # type: ignore[arg-type]
    return Case.objects.get(pk=made.case_id)


def _plan(sql: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN " + sql)
        return "\n".join(row[0] for row in cursor.fetchall())


def found(world: World, case: Case, who: str = "dispatcher") -> list[Case]:
    return [one.case for one in duplicates.alike(world.actor(who), case)]


def test_the_same_village_hours_apart_the_same_words(world: World, monday: Frozen) -> None:
    first = said("桥头街道花园社区停水一整天了，没人管。")
    monday.move(minutes=125)
    other = said("花园社区的路灯一直闪，太晃眼。")
    second = said("我是花园社区3栋的，家里停水了，什么时候来水？")
    one = duplicates.alike(world.actor("dispatcher"), second)
    assert [a.case for a in one] == [first]
    with override("zh-hans"):
        assert one[0].why == "同在花园社区 · 相隔 2 小时 · 都说“停水”"
    with override("en"):
        assert "停水" in one[0].why
        assert "apart" in one[0].why
    assert found(world, other) == []
    assert found(world, first) == [second]


def test_a_position_finds_neighbours_and_says_how_far(world: World, monday: Frozen) -> None:
    first = said("路口红绿灯不亮，很危险。", area=None, lon=LON, lat=LAT)
    near = said("这里的红绿灯坏了。", area=None, lon=LON + 0.003, lat=LAT)
    said("红绿灯坏了，排队很长。", area=None, lon=LON + 0.05, lat=LAT)
    said("红绿灯坏了。", area=None, lon=LON + 0.3, lat=LAT)
    nowhere = said("红绿灯坏了。", area=None)
    one = duplicates.alike(world.actor("dispatcher"), near)
    assert [a.case for a in one] == [first]
    assert one[0].metres == pytest.approx(292, abs=3)
    with override("zh-hans"):
        assert "相距约 290 米" in one[0].why
    assert found(world, nowhere) == []


@pytest.mark.parametrize("far", ["time", "place", "words", "ended", "answered"])
def test_far_in_anything_is_not_suggested(world: World, monday: Frozen, far: str) -> None:
    first = said("花园社区停水一整天了。", **({"area": "990102"} if far == "place" else {}))
    if far == "time":
        monday.move(days=duplicates.DAYS + 1)
    if far == "ended":
        take(world, first.pk, "withdraw")
    if far == "answered":
        for step in ("accept", "dispatch", "sign", "reply"):
            take(world, first.pk, step)
    second = said("停水了，没有水喝。" if far != "words" else "垃圾没人清运，很臭。")
    assert found(world, second) == []


def test_places_and_polite_words_alone_are_no_likeness(world: World, monday: Frozen) -> None:
    said("你好，我是桥头街道花园社区居民，希望有关部门尽快处理门口的垃圾，谢谢。")
    assert found(world, said("你好，我是桥头街道花园社区居民，希望有关部门尽快处理楼上的噪音，谢谢。")) == []


def test_never_by_who_says_it(world: World, monday: Frozen) -> None:
    said("花园社区垃圾没人清运。", phone="13812342201", name="王小明")
    assert found(world, said("花园社区的井盖丢了。", phone="13812342201", name="王小明")) == []
    first = said("花园社区停水了。", phone="13812342201")
    assert found(world, said("停水。", phone="13900001111")) == [first]


def test_a_merged_case_leads_to_its_master(world: World, monday: Frozen) -> None:
    master = said("花园社区水管爆裂，水流到路上。")
    under = said("花园社区停水了，水管爆裂。")
    a.merge(world.on(master.pk, "dispatcher"), duplicates=[str(under.pk)], reason="同一根水管。")
    third = said("停水了，听说水管爆裂。")
    one = duplicates.alike(world.actor("dispatcher"), third)
    assert [a.case.pk for a in one] == [master.pk]
    # Those of one family are not suggested to each other, and a merged case is not asked about.
    assert under.pk not in {case.pk for case in found(world, Case.objects.get(pk=master.pk))}
    assert found(world, Case.objects.get(pk=under.pk)) == []


def test_not_the_same_is_remembered_for_the_pair(world: World, monday: Frozen) -> None:
    first, second = said("花园社区停水了。"), said("花园社区2栋停水。")
    third = said("停水，水压低。")
    duplicates.set_apart(world.actor("dispatcher"), second.pk, first.pk)
    duplicates.set_apart(world.actor("operator"), first.pk, second.pk)
    pair = Distinct.objects.get()
    assert (pair.first_id, pair.second_id) == tuple(sorted((first.pk, second.pk)))
    assert pair.by == world.staff["dispatcher"]
    assert set(found(world, first)) == {third}
    assert set(found(world, second)) == {third}
    for who in ("urban", "reviewer", "supervisor"):
        with pytest.raises((NotAllowed, NotFound)):
            duplicates.set_apart(world.actor(who), first.pk, third.pk)
    with pytest.raises(Invalid):
        duplicates.set_apart(world.actor("dispatcher"), first.pk, first.pk)
    with pytest.raises(NotFound):
        duplicates.set_apart(world.actor("dispatcher"), first.pk, uuid.uuid4())


def test_only_what_one_may_see_is_suggested(world: World, monday: Frozen) -> None:
    said("花园社区停水了。")
    mine = said("停水，没有水。")
    asked = [duplicates.Asked.of(mine)]
    assert duplicates.alike_to(world.actor("urban"), asked) == [[]]
    assert duplicates.alike_to(world.actor("east_supervisor"), asked) != [[]]


def test_a_page_of_fifty_costs_no_more_queries_than_one(world: World, monday: Frozen) -> None:
    cases = [said(f"花园社区{n}栋停水了。") for n in range(12)]
    actor = world.actor("dispatcher")
    duplicates.alike(actor, cases[0])
    counts = []
    for asked in (cases[:1], cases):
        with CaptureQueriesContext(connection, ) as caught:
            results = duplicates.alike_to(actor, [duplicates.Asked.of(case) for case in asked])
        counts.append(len(caught))
        assert all(len(one) == 3 for one in results)
    assert counts[1] <= counts[0] <= 5


def test_the_queue_shows_each_pair_once(world: World, monday: Frozen) -> None:
    first, second, third = said("花园社区停水了。"), said("停水，没水用。"), said("垃圾没人清运。")
    listed, after = duplicates.pairings(world.actor("dispatcher"))
    assert [(pair.case, [one.case for one in pair.alike]) for pair in listed] == [(first, [second])]
    assert after == ""
    assert third not in {pair.case for pair in listed}


def test_a_pair_over_two_parts_of_the_queue_is_shown_once(world: World, monday: Frozen) -> None:
    """And one that only the later case suggests – the earlier one had three that were nearer to it – is not lost."""
    cases = [said(words) for words in ("花园社区停水了。", "垃圾没人清运。", "花园社区停水了。", "花园社区停水了。", "花园社区停水了。",
                                       "花园社区停水了，老人没水喝。")]
    actor, after, parts = world.actor("dispatcher"), "", []
    while True:
        listed, after = duplicates.pairings(actor, after=after, limit=2)
        parts.append([frozenset((pair.case.pk, one.case.pk)) for pair in listed for one in pair.alike])
        if not after:
            break
    assert len(parts) == 3
    every = [pair for part in parts for pair in part]
    assert len(every) == len(set(every))
    suggested = duplicates.alike_to(actor, [duplicates.Asked.of(case) for case in cases])
    assert set(every) == {frozenset((case.pk, one.case.pk)) for case, each in zip(cases, suggested, strict=True) for one in each}


def test_what_is_said_without_a_place_is_found_by_the_names_in_it(world: World, monday: Frozen) -> None:
    """Nobody chose a place on the map: the estate is named by both. Elsewhere the same trouble is another matter."""
    first = said("翠湖花园二期的电梯坏了三天，老人下不了楼。", area=None)
    said("金鹏花园二期的电梯坏了三天，老人下不了楼。", area=None)
    again = said("电梯坏了好几天没人修，翠湖花园二期。", area=None)
    said("电梯坏了好几天没人修。", area=None)
    one = duplicates.alike(world.actor("dispatcher"), again)
    assert [a.case for a in one] == [first]
    with override("zh-hans"):
        assert "翠湖花园" in one[0].why
    # The same words and no place at all: nothing places them together.
    assert found(world, said("电梯坏了好几天没人修。", area=None)) == []


def test_a_letter_with_another_place_in_it_is_another_matter(world: World, monday: Frozen) -> None:
    letter = "{}的路面坑坑洼洼，下雨积水，晚上没有路灯，老人小孩出行不便，请安排修好。"
    said(letter.format("求索西路"), area="990101")
    same = said(letter.format("求索西路").replace("坑坑洼洼", "破损"), area="990101")
    other = said(letter.format("巴陵中路"), area="990101")
    [one] = duplicates.alike(world.actor("dispatcher"), same)
    assert "求索西路" in one.case.words
    assert found(world, other) == []


def test_the_score_is_said_in_words(world: World, monday: Frozen) -> None:
    said("花园社区停水一整天了，没人管。")
    [sure] = duplicates.alike(world.actor("dispatcher"), said("花园社区停水一整天了。"))
    [perhaps] = duplicates.alike(world.actor("dispatcher"), said("自来水管好像有问题，家里停水了，什么时候能来水？"), limit=1)
    assert sure.likely
    assert 0.3 <= perhaps.score < sure.score <= 1
    with override("zh-hans"):
        assert sure.said == "很可能是同一件事"
    with override("en"):
        assert sure.said == "Likely the same matter"


def test_words_are_looked_for_in_their_index(world: World, monday: Frozen) -> None:
    case = said("翠湖花园二期的电梯坏了三天。", area=None)
    with connection.cursor() as cursor:
        cursor.execute("""
            INSERT INTO cases_case SELECT (jsonb_populate_record(one, jsonb_build_object(
              'id', gen_random_uuid(), 'number', 'n' || n, 'tracking_digest', '\\x' || md5(n::text) || md5(n::text),
              'reporter_id', NULL, 'words', '路灯不亮' || md5(n::text),
              'registered_at', one.registered_at - n * interval '1 second'))).*
            FROM cases_case one, generate_series(1, 4000) n WHERE one.id = %s""", [case.pk])
        cursor.execute("ANALYZE cases_case")
    with CaptureQueriesContext(connection) as caught:
        duplicates.alike(world.actor("dispatcher"), case)
    [sql] = [one["sql"] for one in caught if "lianxin_bigrams" in one["sql"]]
    plan = _plan(sql)
    assert "case_grams" in plan, plan
    assert "Seq Scan" not in plan, plan


def test_a_mass_of_cases_near_by_is_looked_through_by_what_is_rare(world: World, monday: Frozen) -> None:
    """Of five hundred in one village the one that speaks of the same trouble is among the few that are weighed."""
    first = said("花园社区东门的井盖丢了，电动车容易摔。")
    with connection.cursor() as cursor:
        cursor.execute("""
            INSERT INTO cases_case SELECT (jsonb_populate_record(one, jsonb_build_object(
              'id', gen_random_uuid(), 'number', 'n' || n, 'tracking_digest', '\\x' || md5(n::text) || md5(n::text),
              'reporter_id', NULL, 'words', '花园社区停水了' || n,
              'registered_at', one.registered_at + n * interval '1 second'))).*
            FROM cases_case one, generate_series(1, 450) n WHERE one.id = %s""", [first.pk])
    monday.move(minutes=30)
    assert found(world, said("井盖丢了两天了。"))[:1] == [first]


def test_what_lies_too_far_away_takes_no_place_among_those_that_are_weighed(world: World, monday: Frozen) -> None:
    near = said("井盖丢了。", lon=LON, lat=LAT)
    with connection.cursor() as cursor:
        cursor.execute("""
            INSERT INTO cases_case SELECT (jsonb_populate_record(one, jsonb_build_object(
              'id', gen_random_uuid(), 'number', 'n' || n, 'tracking_digest', '\\x' || md5(n::text) || md5(n::text),
              'reporter_id', NULL, 'words', '花园东门的井盖丢了，电动车容易摔倒。' || n, 'lon', one.lon + 0.1, 'cell', NULL,
              'registered_at', one.registered_at + n * interval '1 second'))).*
            FROM cases_case one, generate_series(1, 100) n WHERE one.id = %s""", [near.pk])
    monday.move(minutes=30)
    assert found(world, said("花园东门的井盖丢了，电动车容易摔倒。", lon=LON, lat=LAT)) == [near]


def test_candidates_are_found_along_indexes(world: World, monday: Frozen) -> None:
    """Whatever the number of cases: by cell and by village, each a stretch of its own index, bounded in time."""
    case = said("花园社区停水了。", lon=LON, lat=LAT)
    with connection.cursor() as cursor:
        cursor.execute("""
            INSERT INTO cases_case SELECT (jsonb_populate_record(one, jsonb_build_object(
              'id', gen_random_uuid(), 'number', 'n' || n, 'tracking_digest', '\\x' || md5(n::text) || md5(n::text),
              'reporter_id', NULL, 'words', '路灯', 'cell', one.cell + n, 'area_id', NULL,
              'registered_at', one.registered_at - n * interval '2 minutes'))).*
            FROM cases_case one, generate_series(1, 4000) n WHERE one.id = %s""", [case.pk])
        cursor.execute("ANALYZE cases_case")
    with CaptureQueriesContext(connection) as caught:
        duplicates.alike(world.actor("dispatcher"), case)
    [sql] = [one["sql"] for one in caught if "cases_case.cell = " in one["sql"]]
    plan = _plan(sql)
    assert "Seq Scan" not in plan, plan
    for index in ("case_cell", "case_of_area"):
        assert index in plan, plan
        assert "registered_at" in plan.split(index, 1)[1].split("Index Cond", 1)[1].split("\n")[0], plan
    assert "case_grams" in plan, plan


def _scattered(monday: Frozen, chance: random.Random, number: int) -> None:
    """Cases of three weeks in two villages and in the streets around: alike and not, placed by a position, a village, or words."""
    for one in range(number):
        title, words, place = Writer(chance).message()
        where: list[dict[str, object]] = [
            {"area": chance.choice((VILLAGE, "990102")), "lon": None},
            {"area": None, "lon": LON + chance.uniform(-0.012, 0.012), "lat": LAT + chance.uniform(-0.012, 0.012)},
            {"area": VILLAGE, "lon": LON + chance.uniform(-0.02, 0.02), "lat": LAT}, {"area": None}]
        again = chance.random() < 0.4
        monday.move(minutes=chance.randrange(2 * 21 * 1440 // number))
        said("楼下的烧烤店油烟很大，桂花公寓的人睡不着。" if again else words, **{
            "title": "" if again else title, "place_text": place if one % 2 else "", **chance.choice(where)})


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_page_finds_what_one_by_one_finds_and_what_looking_at_all_finds(world: World, monday: Frozen, seed: int) -> None:
    _scattered(monday, random.Random(seed), 60)
    actor, cases = world.actor("dispatcher"), list(Case.objects.all())
    asked = [duplicates.Asked.of(case) for case in cases]
    page = duplicates.alike_to(actor, asked, limit=100)
    rare = search.rarity()
    texts = {case.pk: nearness.text_of(one, rare) for case, one in zip(cases, asked, strict=True)}
    compared = 0
    for one, together in zip(asked, page, strict=True):
        found = {a.case.pk: a.score for a in together}
        alone = {a.case.pk: a.score for a in duplicates.alike_to(actor, [one], limit=100)[0]}
        around = nearness.Around.of(one, texts[one.case_id], alone=False)
        every = {}
        for case in cases:  # without an index, a limit or a bound
            seen = nearness.Seen.of(case)
            match = nearness.compared(one, texts[one.case_id], seen, texts[case.pk])
            placed = match.metres is not None or match.place or (places_shared(texts[one.case_id], texts[case.pk]) or 0) >= 0.5
            if (case.pk != one.case_id and match.gap <= timedelta(days=duplicates.DAYS) and (match.metres or 0) <= nearness.FAR
                    and match.score >= duplicates.ALIKE and match.words and placed):
                every[case.pk] = match.score, seen.cell in around.cells or seen.area_id in around.areas
        assert {pk: score for pk, (score, near) in every.items() if near}.items() <= found.items() <= {
            pk: score for pk, (score, _near) in every.items()}.items()
        if not around.vague:
            assert found.keys() == {pk for pk, (_score, near) in every.items() if near}
        assert found.items() <= alone.items() | {(pk, every[pk][0]) for pk in found if around.vague}
        compared += len(found)
    assert compared > 100


def test_a_page_walks_each_cell_by_its_index(world: World, monday: Frozen) -> None:
    """However much lies elsewhere or before: of each cell the newest, and no other case is read."""
    cases = [said("花园社区停水了。", lon=LON + 0.01 * n, lat=LAT) for n in range(5)]
    with connection.cursor() as cursor:
        cursor.execute("""
            INSERT INTO cases_case SELECT (jsonb_populate_record(one, jsonb_build_object(
              'id', gen_random_uuid(), 'number', 'n' || n, 'tracking_digest', '\\x' || md5(n::text) || md5(n::text),
              'reporter_id', NULL, 'words', '路灯', 'cell', one.cell + n %% 4000, 'area_id', NULL,
              'registered_at', one.registered_at - n * interval '2 minutes'))).*
            FROM cases_case one, generate_series(1, 4000) n WHERE one.id = %s""", [cases[0].pk])
        cursor.execute("ANALYZE cases_case")
    with CaptureQueriesContext(connection) as caught:
        duplicates.alike_to(world.actor("dispatcher"), [duplicates.Asked.of(case) for case in cases])
    [sql] = [one["sql"] for one in caught if "cases_case.cell = " in one["sql"]]
    plan = _plan(sql)
    assert "Seq Scan" not in plan, plan
    for index in ("case_cell", "case_of_area"):
        walked = plan.split(index, 1)[1].split("Index Cond", 1)[1].split("\n")[0]
        assert "at_one" in walked, plan
        assert "registered_at" in walked, plan


def test_of_a_county_nothing_is_seen_that_is_not_ones_own(world: World, monday: Frozen) -> None:
    """Nobody may see anything: nothing is asked of the tables."""
    case = said("花园社区停水了。", lon=LON, lat=LAT)
    said("花园社区停水了。", lon=LON, lat=LAT)
    nobody = dataclasses.replace(world.actor("urban"), grants=())
    assert duplicates.alike_to(nobody, [duplicates.Asked.of(case)]) == [[]]


def test_one_look_gives_both_lists_of_the_call_screen(world: World, monday: Frozen) -> None:
    open_case, answered = said("花园社区停水了，没人管。"), said("花园社区停水两天了。")
    for step in ("accept", "dispatch", "sign", "reply"):
        take(world, answered.pk, step)
    withdrawn = said("花园社区停水。")
    take(world, withdrawn.pk, "withdraw")
    actor = world.actor("operator")
    asked = duplicates.Asked("家里停水了。", now(), area_id=open_case.area_id)
    duplicates.nearby(actor, asked)
    with CaptureQueriesContext(connection) as caught:
        near = duplicates.nearby(actor, asked)
    assert len(caught) == 2
    assert [one.case for one in near.alike] == [open_case]
    assert near.others == [answered]
    assert duplicates.nearby(world.actor("urban"), duplicates.Asked("龘龘", now())) == duplicates.Nearby([], [])


def test_which_way(world: World, monday: Frozen) -> None:
    older = said("花园社区停水了。")
    monday.move(minutes=5)
    newer = said("停水。")
    assert duplicates.which_way(newer, older) == (older, newer)
    take(world, newer.pk, "accept")
    take(world, newer.pk, "dispatch")
    newer = Case.objects.get(pk=newer.pk)
    assert duplicates.which_way(older, newer) == (newer, older)
    assert State(newer.state) == State.DISPATCHED
