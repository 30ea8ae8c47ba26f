"""Many messages of one kind are not one matter."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from lianxin.triage.hot.alike import Pairs
from lianxin.triage.hot.linkage import Linkage
from lianxin.triage.hot.themes import ALIKE, LEAST, Themes

SUBSIDY = ["人才购房补贴何时发", "购房的人才能领补贴吗", "人才新政补贴没到账", "人才租房补贴名单", "补贴怎么发给人才", "人才引进补贴申请"]
TAXIS = ["出租车油补何时发", "出租车司机用假钱", "出租车半夜鸣笛", "加快出租车改革", "出租车拒载", "出租车协会不管事"]
FUND = ["公积金贷款条件", "公积金贷款改名", "公积金贷款拖延", "公积金贷款利率", "公积金贷款额度", "公积金贷款材料"]
NOWHERE: list[frozenset[str]] = [frozenset()] * LEAST


def themes(titles: Sequence[str], heads: Sequence[frozenset[str]] = NOWHERE) -> Themes:
    return Themes(heads, titles, 2000)


@pytest.mark.parametrize(("titles", "kind_only"), [(SUBSIDY, False), (TAXIS, True), (FUND, True)])
def test_two_words_that_stand_apart_hold_a_matter_together_one_does_not(titles: list[str], kind_only: bool) -> None:
    assert themes(titles).theme(range(LEAST), 0.2) is kind_only


def test_a_place_in_common_or_likeness_throughout_makes_a_matter_and_a_few_messages_are_no_theme() -> None:
    estate = frozenset({"丽发新城"})
    half = [estate] * (LEAST // 2) + [frozenset()] * (LEAST - LEAST // 2)
    assert not themes(TAXIS, half).theme(range(LEAST), 0.2)
    assert themes(TAXIS, [estate, *NOWHERE[1:]]).theme(range(LEAST), 0.2)
    assert not themes(TAXIS).theme(range(LEAST), ALIKE)
    assert not themes(TAXIS).theme(range(LEAST - 1), 0.2)


def test_a_word_that_every_other_title_has_holds_nothing_together() -> None:
    rest = [f"人才市场第{number}号窗口发补贴" for number in range(200)]
    assert themes([*SUBSIDY, *rest], NOWHERE + [frozenset()] * 200).theme(range(LEAST), 0.2)


@pytest.mark.parametrize(("titles", "largest"), [(SUBSIDY, LEAST), (TAXIS, LEAST - 1)])
def test_groups_that_would_be_a_theme_do_not_join(titles: list[str], largest: int) -> None:
    left, right = np.triu_indices(LEAST, 1)
    groups = Linkage(LEAST, Pairs(left, right, np.full(len(left), 0.2), themes(titles))).clusters()
    assert max(map(len, groups)) == largest
