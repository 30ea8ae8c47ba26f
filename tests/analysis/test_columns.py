"""The chart of a day: what is drawn of each column."""

from __future__ import annotations

from xml.etree import ElementTree

from lianxin.analysis.charts import Caption, Column, columns

SVG = "{http://www.w3.org/2000/svg}"
SAID = Caption("day", "一天", "说明")


def drawn(shown: list[Column], look: str, **how: int) -> list[ElementTree.Element]:
    found = ElementTree.fromstring(columns(shown, caption=SAID, **how)).iter()
    return [one for one in found if one.get("class") == look]


def test_a_column_has_its_bounds_and_its_mark() -> None:
    shown = [Column("08:00", 2, 1, 4, mark=3), Column("08:30", 0, 0, 0), Column("09:00", 1, 1, 1, few=True)]
    assert len(drawn(shown, "c-bar")) == 1
    assert len(drawn(shown, "c-few")) == 1  # too little: hollow
    assert len(drawn(shown, "c-centre")) == 1  # bounds, where there are any
    assert len(drawn(shown, "c-before")) == 1
    full, bounds, mark = drawn(shown, "c-bar")[0], drawn(shown, "c-centre")[0], drawn(shown, "c-before")[0]
    unit = float(full.get("height", "0")) / 2
    floor = float(full.get("y", "0")) + float(full.get("height", "0"))
    assert floor - float(bounds.get("y1", "0")) == 4 * unit
    assert floor - float(bounds.get("y2", "0")) == 1 * unit
    assert floor - float(mark.get("y1", "0")) == 3 * unit


def test_nothing_to_draw_is_a_picture_too() -> None:
    for shown in ([], [Column("00:00", 0, 0, 0)]):
        picture = ElementTree.fromstring(columns(shown, caption=SAID))
        assert picture.find(f"{SVG}title") is not None
        assert not drawn(shown, "c-bar")


def test_labels_do_not_run_into_one_another() -> None:
    shown = [Column(f"{number // 2:02}:{number % 2 * 30:02}", 1, 1, 1) for number in range(48)]
    labels = [one.text for one in drawn(shown, "c-quiet", every=8) if one.text and ":" in one.text]
    assert labels == ["00:00", "04:00", "08:00", "12:00", "16:00", "20:00"]
