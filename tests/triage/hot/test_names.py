"""Names of places in running text, with and without codes for districts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lianxin.triage.hot.alike import pairs
from lianxin.triage.hot.messages import Message
from lianxin.triage.hot.names import Reader, lines, names, plain


@pytest.mark.parametrize(("text", "expected"), [
    ("投诉南湖春城小区旁边的搅拌站", "南湖春城"),
    ("A7县楚龙街道红树湾小区电梯坏了", "红树湾"),
    ("岳阳楼区青年中路路灯不亮", "青年中路"),
    ("在洞庭明珠公寓买的房子", "洞庭明珠公寓"),
    ("举报某某科技有限公司拖欠工资", "科技公司"),
    ("请问第十五中学什么时候开学", "第十五中学"),
    ("反映步仙镇卫生院没有医生", "步仙镇"),
])
def test_a_name_is_read(text: str, expected: str) -> None:
    assert any(expected in name for name in names(text))


@pytest.mark.parametrize("text", ["我们小区停水了", "村里的路坏了", "门口马路都是垃圾", "我住在县城", "公司不发工资", "学校要补课"])
def test_a_plain_word_is_no_name(text: str) -> None:
    assert names(text) == ()


def test_a_name_is_one_however_it_is_set() -> None:
    assert plain("“南湖·春城” 有限责任公司") == "南湖春城公司"


def test_routes_are_read() -> None:
    assert lines("建议805路改走青年路，地铁2#线也要延长") == {"805路", "2号线"}


def test_districts_of_the_city_are_read_beside_codes() -> None:
    reader = Reader(["岳阳楼区", "君山区"])
    assert reader.place("君山区柳林洲镇路灯", "").districts == {"君山区"}
    assert reader.place("A7县星沙镇路灯", "").districts == {"A7县"}


def test_a_name_of_one_found_in_the_text_of_the_other_is_one_place() -> None:
    """The second letter names the estate further down only; the third names another one in the same words."""
    said = (("南湖春城小区搅拌站太吵", "夜里也开工"), ("搅拌站太吵", "夜里也开工，我住南湖春城三期"),
            ("洞庭明珠小区搅拌站太吵", "夜里也开工"))
    found = pairs([Message(str(number), str(number), None, *one) for number, one in enumerate(said)], Reader())
    scores = dict(zip(zip(found.left.tolist(), found.right.tolist(), strict=True), found.score.tolist(), strict=True))
    assert scores[0, 1] > 3 * scores.get((0, 2), 0.0)


@given(st.text(alphabet="小区路县市镇南湖春城A7 ，。的公司12栋", max_size=200))
def test_any_text_is_read(text: str) -> None:
    """Numbers of buildings inside a name are left out, nothing is added."""
    assert all(len(name) >= 3 and set(name) <= set(plain(text)) for name in names(text))
