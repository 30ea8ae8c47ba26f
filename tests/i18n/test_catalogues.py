"""The catalogues are complete, sound and what the command makes of the code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lianxin.faces import catalogues
from lianxin.kernel.language import listed, named, traditional


def test_every_message_is_in_every_catalogue_and_sound() -> None:
    assert catalogues.faults() == []


def test_messages_are_found_as_the_tags_and_functions_look_them_up(tmp_path: Path) -> None:
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "page.html").write_text(
        '{% load i18n %}<h1 title="{% translate "甲" %}">{{ x|default:_("乙") }}</h1>\n'
        "   {% blocktranslate trimmed count n=n with a=b %}\n      {{ n }} 件，100%\n   {% plural %}\n {{ n }} 件们，100%\n"
        '{% endblocktranslate %}{% translate "丙" context "丁" %}{% include "x.html" with y=_("戊") %}',
        encoding="utf-8",
    )
    (tmp_path / "code.py").write_text(
        "from django.utils.translation import gettext as _, ngettext as several, pgettext\n"
        'a = _("一"\n      "二")\nb = several("三", "四", n)\nc = pgettext("情", "五")\nd = other("六")\n', encoding="utf-8",
    )
    found = catalogues._collect(tmp_path, catalogues._sources(tmp_path))
    assert set(found) == {
        ("", "甲"), ("", "乙"), ("", "%(n)s 件，100%%"), ("丁", "丙"), ("", "戊"), ("", "一二"), ("", "三"), ("情", "五"),
    }
    assert found["", "%(n)s 件，100%%"].plural == "%(n)s 件们，100%%"
    assert found["", "三"].plural == "四"


@pytest.mark.parametrize(("source", "string", "fault"), [
    ("%(n)s 件", "%(m)s cases", "placeholders"),
    ("%s 件", "cases", "placeholders"),
    ("件\n", "case", "newlines"),
    ("件", "case，", "Chinese left"),
    ("件", "", "not translated"),
])
def test_a_bad_translation_is_named(source: str, string: str, fault: str) -> None:
    catalogue = catalogues._empty("en")
    catalogue.add(source, string)
    message = next(m for m in catalogue if m.id)
    assert any(fault in line for line in catalogues._message_faults("en", message))


def test_a_fuzzy_translation_counts_as_none() -> None:
    catalogue = catalogues._empty("en")
    catalogue.add("件", "case", flags=("fuzzy",))
    message = next(m for m in catalogue if m.id)
    assert "marked fuzzy" in list(catalogues._message_faults("en", message))


@pytest.mark.parametrize(("simplified", "expected"), [
    ("社区里面的系统", "社區裡面的系統"),
    ("公里", "公里"),
    ("已发布，未公布", "已發布，未公布"),
    ("统一身份认证里的账号", "統一身份認證裡的帳號"),
    ("“公开”", "「公開」"),
    ("复制、重复、答复、恢复", "複製、重複、答覆、恢復"),
    ("利益冲突", "利益衝突"),
    ("岳阳市君山区钱粮湖镇", "岳陽市君山區錢糧湖鎮"),
    ("余坪镇", "余坪鎮"),
    ("望岳路街道", "望岳路街道"),
    ("张谷英镇", "張谷英鎮"),
    ("长冲村", "長沖村"),
    ("七里山社区", "七里山社區"),
    ("市民政局、市发改委", "市民政局、市發改委"),
    ("Open311", "Open311"),
])
def test_traditional_characters_are_proof_read(simplified: str, expected: str) -> None:
    assert traditional(simplified) == expected


def test_names_follow_the_reader() -> None:
    from django.utils.translation import override

    with override("en"):
        assert named("路灯", "Street lamps") == "Street lamps"
        assert named("花园社区") == "花园社区"
        assert listed(["A", "B"]) == "A, B"
    with override("zh-hant"):
        assert named("花园社区", "Garden") == "花園社區"
    with override("zh-hans"):
        assert named("花园社区", "Garden") == "花园社区"
        assert listed(["甲", "乙"]) == "甲、乙"


def test_a_catalogue_is_compiled_when_it_is_newer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogues, "LOCALE", tmp_path)
    for language in catalogues.MAKERS:
        catalogue = catalogues._empty(language)
        catalogue.add("件", "case")
        catalogues.path_of(language).parent.mkdir(parents=True)
        catalogues.path_of(language).write_text(catalogues.text_of(catalogue), encoding="utf-8")
    catalogues.compile_all()
    for language in catalogues.MAKERS:
        assert catalogues.path_of(language).with_suffix(".mo").read_bytes()[:4] in (b"\xde\x12\x04\x95", b"\x95\x04\x12\xde")


def test_scripts_and_styles_hold_no_words_of_their_own() -> None:
    """What a script says it is given by the page, in the reader's language."""
    for path in sorted([*catalogues.PACKAGE.rglob("static/**/*.js"), *catalogues.PACKAGE.rglob("static/**/*.css")]):
        code = re.sub(r"/\*.*?\*/|(?<![:\"'])//[^\n]*", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        assert not re.search("[\u3400-\u9fff]", code), path.name
