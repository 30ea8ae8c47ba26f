"""Words of danger. The list is `data/danger.csv`: `tune` is the half the rules were made on, `held` the half they were not."""

from __future__ import annotations

import csv
import random
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lianxin.triage import danger
from lianxin.triage.danger import SERVICES, alarms, browser_rules
from lianxin.triage.danger_words import FOLD_FROM, FOLD_TO, HARMLESS, RULES
from lianxin.triage.expressions import Points, Search, needed

LIST = Path(__file__).parent / "data" / "danger.csv"
TRAINING = Path(__file__).parents[2] / "cities" / "yueyang" / "training"


def rows(half: str) -> list[dict[str, str]]:
    with LIST.open(encoding="utf-8", newline="") as lines:
        return [row for row in csv.DictReader(lines) if row["half"] == half]


def called(text: str) -> set[str]:
    return {alarm.service for alarm in alarms(text)}


@pytest.mark.parametrize("half", ["tune", "held"])
def test_hardly_any_phrasing_of_danger_is_missed(half: str) -> None:
    phrasings = [row for row in rows(half) if row["services"]]
    missed = [row["text"] for row in phrasings if called(row["text"]).isdisjoint(row["services"].split("|"))]
    assert len(phrasings) > 180
    assert len(missed) / len(phrasings) <= 0.02, missed


@pytest.mark.parametrize("half", ["tune", "held"])
def test_what_only_looks_like_danger_mostly_stays_quiet(half: str) -> None:
    quiet = [row for row in rows(half) if not row["services"]]
    loud = [row["text"] for row in quiet if called(row["text"])]
    assert len(quiet) > 40
    assert len(loud) / len(quiet) <= 0.1, loud


@pytest.mark.parametrize(("text", "service"), [
    ("樓上著火了", "119"), ("楼 上 着 火 了", "119"), ("着火哒", "119"), ("meiqi漏了", "119"), ("我想自沙", "110"), ("有人触电", "119"),
    ("如果不解决我就去死", "110"), ("我从去年起就不想活了", "110"), ("巴陵路两台车相撞", "122"), ("他昏谜了", "120"),
    ("不是打雷，是房子塌了", "119"),
])
def test_other_ways_to_write_it(text: str, service: str) -> None:
    assert service in called(text)


@pytest.mark.parametrize("text", [
    "短视频火了", "老百姓生活在水深火热之中", "要求救助困难家庭", "城管打人热线是多少", "万一着火，消防车开不进来", "并没有起火",
    "防溺水警示牌", "个人信息泄露怎么投诉", "跳楼价清仓", "去年发生的火灾，赔偿还没有到位", "", "　\n", "\ud800",
])
def test_metaphor_condition_negation_and_past_are_quiet(text: str) -> None:
    assert called(text) == set()


def test_an_alarm_names_its_words_and_the_most_words_come_first() -> None:
    found = alarms("楼下有人拿刀打人，流血了")
    assert [alarm.service for alarm in found] == ["110", "120"]
    assert "拿刀" in found[0].words
    assert "流血" in found[1].words


def test_danger_is_found_wherever_it_stands_in_the_first_twelve_thousand_characters() -> None:
    filling = "关于物业费的问题请予答复，"
    for length in (0, 1_000, 11_900):
        assert called((filling * 2_000)[:length] + "。家里着火了") == {"119"}, length
    assert called((filling * 2_000)[:12_000] + "家里着火了") == set()


def test_each_service_and_each_kind_is_known_and_used() -> None:
    assert {rule.service for rule in RULES} == set(SERVICES)
    for rule in RULES:
        hits = [row for half in ("tune", "held") for row in rows(half)
                if row["services"] and any(re.search(source, danger.folded(row["text"])) for source in rule.sources)]
        assert hits, rule.kind


def test_folding_maps_character_by_character() -> None:
    assert len(FOLD_FROM) == len(FOLD_TO)
    assert set(FOLD_FROM).isdisjoint(FOLD_TO)


def test_browsers_get_the_same_rules() -> None:
    given_out = browser_rules()
    assert set(given_out["rules"]) == set(SERVICES)
    harmless = re.compile(given_out["harmless"])
    for half in ("tune", "held"):
        for row in rows(half):
            covered = harmless.sub(lambda match: "□" * len(match.group()), danger.folded(row["text"]))
            plain = {service for service, source in given_out["rules"].items() if re.search(source, covered)}
            assert plain == called(row["text"]), row["text"]


SOURCES = [source for rule in RULES for source in rule.sources]
FRAGMENTS = sorted({fragment for source in (*SOURCES, *HARMLESS)
                    for fragment in re.findall(r"[\u4e00-\u9fff]+", source)})


@given(st.lists(st.sampled_from(FRAGMENTS) | st.text(alphabet="的，。一", max_size=12), max_size=25).map("".join))
def test_looking_only_where_it_may_be_finds_all_there_is(text: str) -> None:
    search = Search(SOURCES)
    windows: dict[int, list[tuple[int, int]]] = {}
    for number, start, end in search.windows(Points(text)):
        windows.setdefault(number, []).append((start, end))
    for number, pattern in enumerate(search.patterns):
        match = pattern.search(text)
        if match is not None:
            assert any(start <= match.start() and match.end() <= end for start, end in windows.get(number, [])), pattern.pattern


def _windows_as_told(search: Search, text: str) -> list[tuple[int, int, int]]:
    """Straight from the definition: at each place what its character wakes, then what it wakes together with the next."""
    waked: dict[str, list[int]] = {}
    reaches = []
    for number, source in enumerate(one.pattern for one in search.patterns):
        keys, reach = needed(source)
        reaches.append(reach)
        for key in keys:
            waked.setdefault(key, []).append(number)
    found: dict[int, list[list[int]]] = {}
    for at in range(len(text)):
        for number in (*waked.get(text[at], ()), *(waked.get(text[at : at + 2], ()) if at + 1 < len(text) else ())):
            reach = reaches[number]
            spans = found.setdefault(number, [])
            if spans and spans[-1][1] >= max(at - reach, 0):
                spans[-1][1] = at + reach
            else:
                spans.append([max(at - reach, 0), at + reach])
    return [(number, start, end) for number, spans in found.items() for start, end in spans]


def test_the_quick_way_looks_where_the_definition_says() -> None:
    """On every text that a demo learns from and every phrasing of the lists: the same spans, in the same order."""
    texts = [row["text"] for half in ("tune", "held") for row in rows(half)]
    for path in sorted(TRAINING.glob("*.csv")):
        with path.open(encoding="utf-8-sig", newline="") as file:
            texts += [row["title"] + "\n" + row["detail"] for row in csv.DictReader(file)]
    assert len(texts) > 1_000
    search, reads = Search(SOURCES), Search(HARMLESS)
    for text in ["\n".join(texts[start : start + 40]) for start in range(0, len(texts), 40)]:
        plain = re.sub(r"\n{2,}", "\n", re.sub(r"[^\S\n]+", "", text)).lower()
        read = danger.folded(text)
        assert len(read) <= len(plain)
        assert danger.folded(plain) == read
        for one in (search, reads):
            assert list(one.windows(Points(read))) == _windows_as_told(one, read)


@pytest.mark.parametrize("said", ["孩", "爆炸", "打滚", "放火腿肠的冰箱坏了", "被人打了，流血", "没有人员受伤，"])
def test_what_is_said_again_and_again_is_looked_at_where_the_definition_says(said: str) -> None:
    """Where one thing wakes the same expressions everywhere, all its places are taken at once."""
    text = "着火了，" + said * 300 + "。" * 80 + said * 3 + "，电梯里有人被困"
    for one in (Search(SOURCES), Search(HARMLESS)):
        assert list(one.windows(Points(text))) == _windows_as_told(one, text)


@given(st.text(alphabet=" \n\r\t\u3000\u2028\x1c路灯A", max_size=40))
def test_blanks_go_and_lines_stay(text: str) -> None:
    assert danger.folded(text) == re.sub(r"\n{2,}", "\n", re.sub(r"[^\S\n]+", "", text)).lower()


def test_no_expression_can_run_away() -> None:
    for source in (*SOURCES, *HARMLESS):
        characters, reach = needed(source)
        assert characters
        assert reach <= 60, source
    for bad in ("火+", "火.*灾", "火{2,}", "(?:火|水)+", ".{0,3}"):
        with pytest.raises(ValueError, match=r"bound|certain"):
            needed(bad)


class _Counted:
    """A pattern that counts the characters it was set to look at."""

    looked = 0

    def __init__(self, pattern: re.Pattern[str]) -> None:
        self.pattern = pattern

    def search(self, text: str, start: int, end: int) -> re.Match[str] | None:
        _Counted.looked += min(end, len(text)) - start
        return self.pattern.search(text, start, end)

    def findall(self, text: str, start: int, end: int) -> list[str]:
        _Counted.looked += min(end, len(text)) - start
        return self.pattern.findall(text, start, end)


@pytest.mark.parametrize("said", ["火", "孩", "老人", "打人", "如果", "从楼", "没有", "被人打", "电梯里面",
                                  "".join(random.Random(4).sample(FRAGMENTS, 60))])
def test_the_work_grows_with_the_length_whatever_is_said(said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The characters looked at, not the time: twice the text is at most about twice the work, and never more than each
    expression once over all of it, twice."""
    search, services = danger._danger()
    counted = object.__new__(Search)
    counted.__dict__.update(search.__dict__)
    counted.patterns = tuple(_Counted(pattern) for pattern in search.patterns)  # type: ignore[assignment]
    monkeypatch.setattr(danger, "_danger", lambda: (counted, services))

    def work(length: int) -> int:
        _Counted.looked = 0
        alarms((said * length)[:length])
        return _Counted.looked

    short, long = work(3_000), work(12_000)
    assert long <= 4.4 * short + 4_000
    assert long <= 12_000 * len(SOURCES) * 2


def test_common_characters_are_no_trigger_where_a_rarer_one_serves() -> None:
    characters, _reach = needed("有人.{0,4}坠楼")
    assert characters in ({"有人"}, {"坠楼"})
    assert needed("[我他]想死")[0] == {"想死"}
