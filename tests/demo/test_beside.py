"""What a demo runs beside web and worker: the other desk, the sender, live updates – chosen, named and closed to others.

That they start, are healed and end with the demo is seen in `test_whole_city.py`."""

from __future__ import annotations

import shutil
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from lianxin.demo.beside import Beside, free
from lianxin.demo.linking import COLUMNS, STORIES, read, to_play
from lianxin.demo.seed import SeedError
from tests.demo.demos import HILL, YUEYANG, folder_for_all, free_port

PARTNERS = ("code,name,name_en,kind,service,url,phone,identity,emergencies,asks_followups,ended\n"
            "119.hill,云山119,Hill 119,fire,119,,,,yes,,\n110.hill,云山110,Hill 110,police,110,,,,yes,,\n")


@pytest.fixture(scope="module")
def linked() -> Iterator[Path]:
    """A folder with a small city that has a police desk to hand over to."""
    with folder_for_all() as folder:
        shutil.copytree(HILL, folder / "hill")
        (folder / "hill" / "partners.csv").write_text(PARTNERS, encoding="utf-8")
        yield folder


def beside(folder: Path, port: int, city: Path) -> Beside:
    data = folder / f"data-{port}"
    data.mkdir(exist_ok=True)
    return Beside.of(host="127.0.0.1", shown="127.0.0.1", port=port, data=data, city=city)


def test_ports_behind_the_main_one_and_others_where_they_are_taken(linked: Path) -> None:
    main = free_port()
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            taken.bind(("127.0.0.1", main + 1))
        except OSError:
            pytest.skip("taken by somebody else")
        taken.listen()
        ports = free("127.0.0.1", main)
        assert main + 1 not in [next(ports) for _each in range(3)]
    assert next(free("127.0.0.1", 65_534)) < 65_536


def test_secrets_are_made_once_and_closed_to_others(linked: Path) -> None:
    port = free_port()
    first = beside(linked, port, linked / "hill")
    assert list(first.links) == ["110.hill"], "one of a kind, and only kinds that the demo plays"
    again = beside(linked, port, linked / "hill")
    assert again.links["110.hill"]["secret"] == first.links["110.hill"]["secret"]
    programs = first.programs("http://127.0.0.1:1")
    assert [one.name for one in programs] == ["live", "deliver", "desk-110", "switch-double", "switch"]
    assert not any(first.links["110.hill"]["secret"] in part for one in programs for part in one.command), "not where ps shows it"
    for path in (first.data / "linkage.json", first.data / "desk-110" / "secrets"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert beside(linked, free_port(), HILL).links == {}


def test_the_telephone_is_played_unless_somebody_has_one(linked: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = beside(linked, free_port(), HILL)

    def telephone() -> list[str]:
        return [one.name for one in made.programs("http://127.0.0.1:1") if one.name.startswith("switch")]

    monkeypatch.delenv("LIANXIN_SWITCH", raising=False)
    monkeypatch.delenv("LIANXIN_SWITCH_URL", raising=False)
    assert telephone() == ["switch-double", "switch"]
    assert made.environment("")["LIANXIN_SWITCH_URL"].endswith(f":{made.switch}")
    monkeypatch.setenv("LIANXIN_SWITCH", "none")
    assert telephone() == []
    monkeypatch.setenv("LIANXIN_SWITCH", "asterisk")
    monkeypatch.setenv("LIANXIN_SWITCH_URL", "ami://a:b@pbx:5038")
    assert telephone() == ["switch"]
    assert made.environment("")["LIANXIN_SWITCH_URL"] == "ami://a:b@pbx:5038"


@pytest.mark.django_db
def test_the_stories_of_yueyang_are_known(tmp_path: Path) -> None:
    path = YUEYANG / "demo" / "handovers.csv"
    assert {row["story"] for row in read(path)} == set(STORIES)
    assert len(to_play(path)) == len(read(path))
    bad = tmp_path / "handovers.csv"
    bad.write_text(",".join(COLUMNS) + "\nout_to_the_moon,1,2,3,4,5\n", encoding="utf-8")
    with pytest.raises(SeedError, match="out_to_the_moon"):
        read(bad)
