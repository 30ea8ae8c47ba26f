"""Full text: two characters anywhere in a sentence, whole or half width, from the index."""

from __future__ import annotations

import pytest
from django.db import connection

from lianxin.cases.models import Case
from lianxin.cases.search import matching
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
