"""Articles from the city's files become versions; search finds what is in force, by words and synonyms, and says why."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from lianxin.city.faults import BadCity
from lianxin.city.load import check, load
from lianxin.kernel.clock import Frozen
from lianxin.knowledge import queries
from lianxin.knowledge.models import Article, SynonymGroup, Term, Version, VersionState
from lianxin.knowledge.queries import search
from tests.city.conftest import append, edit
from tests.city.conftest import hill as hill
from tests.knowledge.made import article
from tests.world import World

pytestmark = pytest.mark.django_db
ON = date(2026, 11, 23)


def codes(text: str, **more: object) -> list[str]:
    return [one.code for one in search(text, **{"on": ON, **more})]  # type: ignore[arg-type]


def test_the_files_make_versions(hill: Path, monday: Frozen) -> None:
    load(hill)
    first = Version.objects.get(article__code="water-off")
    assert (first.number, first.state, first.public, first.written_by) == (1, "approved", True, None)
    assert Term.objects.filter(version=first, whole=True).get().term == "停水"
    edit(hill / "knowledge/water.yaml", "计划停水会提前一天公告。", "计划停水会提前两天公告。")
    load(hill)
    states = list(Version.objects.filter(article__code="water-off").order_by("number").values_list("number", "state"))
    assert states == [(1, "replaced"), (2, "approved")]
    assert not Term.objects.filter(version=first).exists(), "what is no longer said is no longer found"
    assert Version.objects.filter(article__code="water-bill").count() == 1, "what is unchanged stays"
    text = (hill / "knowledge/water.yaml").read_text(encoding="utf-8")
    (hill / "knowledge/water.yaml").write_text(text[text.index("- code: water-bill"):], encoding="utf-8")
    load(hill)
    assert not Version.objects.filter(article__code="water-off", state="approved").exists()
    assert codes("今天停水吗") == []
    (hill / "knowledge/water.yaml").write_text(text, encoding="utf-8")
    load(hill)
    assert codes("今天停水吗") == ["water-off"], "back in the files, back in use"


def test_faults_of_articles_and_synonyms_name_file_and_line(hill: Path, monday: Frozen) -> None:
    append(hill / "knowledge/water.yaml", "- code: x", "  title: 甲", "  answer: 乙", "  valid_from: 2026-02-01",
           "  valid_until: 2026-01-01", "- code: y", "  title: 甲", "  answer: 乙", "  valid_from: 2026-02-01", "  public: maybe",
           "- code: z", "  title: 甲", "  answer: 乙", "  valid_from: 2026-02-01", '  area: "1"')
    (hill / "knowledge/synonyms.yaml").write_text("- [停水, 断水]\n- [断水, 没水]\n- 停电\n", encoding="utf-8")
    said = [str(fault) for fault in check(hill)]
    assert len(said) == 5, said
    assert any("water.yaml" in one and "valid_until" in one for one in said)
    assert any("water.yaml" in one and "public" in one for one in said)
    assert any("water.yaml" in one and "area" in one for one in said)
    assert any("synonyms.yaml" in one and "断水" in one for one in said)
    with pytest.raises(BadCity):
        load(hill)
    assert not Article.objects.exists()


def test_a_synonym_finds_what_the_other_word_finds(hill: Path, monday: Frozen) -> None:
    load(hill)
    assert codes("老家断流三天") == []
    (hill / "knowledge/synonyms.yaml").write_text("- [停水, 断流]\n", encoding="utf-8")
    load(hill)
    assert SynonymGroup.objects.get().words == ["停水", "断流"]
    found = search("老家断流三天", on=ON)
    assert [one.code for one in found] == ["water-off"]
    assert found[0].words == ("断流",)


def test_what_the_desk_wrote_outlives_a_load_of_the_same_text(hill: Path, monday: Frozen) -> None:
    load(hill)
    article = Article.objects.get(code="water-off")
    old = article.versions.get()
    Version.objects.filter(pk=old.pk).update(state="replaced", ended_at=old.written_at)
    from lianxin.organisations.models import Staff

    author, other = Staff.objects.get(username="water1"), Staff.objects.get(username="boss")
    Version.objects.create(article=article, number=2, title="停水怎么办", answer="新的说法", valid_from=ON, state="approved",
                           written_at=old.written_at, written_by=author, decided_at=old.written_at, decided_by=other)
    edit(hill / "knowledge/water.yaml", "可以在村部交。", "可以在网上交。")
    load(hill)
    assert article.versions.get(state="approved").number == 2
    edit(hill / "knowledge/water.yaml", "计划停水会提前一天公告。", "计划停水会提前三天公告。")
    load(hill)
    assert article.versions.get(state="approved").answer == "计划停水会提前三天公告。"


@pytest.mark.parametrize("more", [
    {"valid_until": date(2026, 11, 22)}, {"valid_from": date(2026, 11, 24)}, {"review_by": date(2026, 11, 22)},
])
def test_what_is_not_in_force_is_never_suggested(world: World, monday: Frozen, more: dict[str, date]) -> None:
    article("old", "路灯不亮怎么报", **more)
    assert codes("路灯不亮怎么报") == []
    article("new", "路灯不亮怎么报")
    assert codes("路灯不亮怎么报") == ["new"]


@pytest.mark.parametrize("state", [state for state in VersionState if state != VersionState.APPROVED])
def test_what_is_not_approved_is_never_suggested(world: World, monday: Frozen, state: VersionState) -> None:
    made = article("lamp", "路灯不亮怎么报")
    ended = made.written_at if state in ("replaced", "withdrawn") else None
    Version.objects.filter(pk=made.pk).update(
        state=state, ended_at=ended, decided_at=None if state == "draft" else made.decided_at)
    assert codes("路灯不亮怎么报") == []


def test_staff_only_and_elsewhere(world: World, monday: Frozen) -> None:
    article("inside", "路灯不亮怎么报", public=False)
    article("west", "路灯不亮怎么报", area=world.areas["990102"])
    assert sorted(codes("路灯不亮怎么报")) == ["inside", "west"]
    assert codes("路灯不亮怎么报", public_only=True) == ["west"]
    assert codes("路灯不亮怎么报", area_id=world.areas["990101001001"].pk) == ["inside"]
    assert sorted(codes("路灯不亮怎么报", area_id=world.areas["990102"].pk)) == ["inside", "west"]
    with pytest.raises(queries.NotFound):
        queries.article("inside", on=ON, public_only=True)


def test_title_counts_more_than_answer_and_the_category_breaks_a_tie(world: World, monday: Frozen) -> None:
    article("title", "公积金提取", "请到窗口。")
    article("answer", "别的事情", "公积金提取的事请问窗口，公积金提取不收费。")
    assert codes("公积金提取")[0] == "title"
    for code in ("010101", "010103"):
        article(f"of-{code}", "收费标准怎么查", category=world.categories[code])
    assert codes("收费标准怎么查", category_codes=("010103",))[0] == "of-010103"
    assert codes("收费标准怎么查", category_codes=("010101",))[0] == "of-010101"


@pytest.mark.parametrize("text", ["", " ", "？", "a", "路", "\x00", "%_'\"\\", "😀😀", "路" * 12_000])
def test_odd_texts_find_nothing_and_break_nothing(world: World, monday: Frozen, text: str) -> None:
    article("lamp", "路灯不亮怎么报", keywords=["路灯"])
    assert codes(text.replace("\x00", "")) == []
