"""A city is streamed: neither rows nor files are held, however many there are."""

from __future__ import annotations

import gc
import hashlib
import tracemalloc
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.db import connection

from lianxin.cases.models import Reporter
from lianxin.transfer import contents, exporting, package
from lianxin.transfer.connecting import connected
from lianxin.transfer.exporting import export_city
from lianxin.transfer.importing import import_city
from lianxin.transfer.package import Reader, Writer
from tests.transfer.conftest import clear
from tests.world import World

# Both are several blocks of a file. Were anything kept of each row, be it eight bytes in a list, it would be more than is left free.
FEW, MANY = 2_000, 20_000
FREE = 100_000  # bytes
MADE = """
INSERT INTO cases_reporter (id, name, phone, phone_hash, language, message_consent, retention_class, created_at)
SELECT gen_random_uuid(), decode(repeat('5a', 40), 'hex'), decode(repeat('a5', 44), 'hex'), sha256(n::text::bytea), 'zh-hans', true,
  'reporter', '2026-05-06' FROM generate_series(1, %s) AS n
"""


class Stages(dict[str, int]):
    """Bytes that Python held at most in each stage of a work, beside what it held when that stage began. Each is by itself, so that
    what one needs always does not hide what another one heaps up."""

    def __init__(self) -> None:
        super().__init__()
        self.begin()

    def begin(self) -> None:
        tracemalloc.reset_peak()
        self.before, _peak = tracemalloc.get_traced_memory()

    def tell(self, words: str) -> None:
        self[words.partition("：")[0]] = tracemalloc.get_traced_memory()[1] - self.before
        self.begin()


def peak(work: Callable[[], object]) -> int:
    stages = Stages()
    work()
    stages.tell("")
    return stages[""]


@pytest.fixture(autouse=True)
def traced(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for module in (package, exporting):
        monkeypatch.setattr(module, "BLOCK", 16 * 1024)
    monkeypatch.setattr(contents, "NAMES", 100)
    usual = gc.get_threshold()
    gc.set_threshold(700, 10, 10)  # as in a program: what is garbage already is not held
    tracemalloc.start()
    yield
    tracemalloc.stop()
    gc.set_threshold(*usual)


@pytest.mark.django_db(transaction=True)
def test_more_rows_take_no_more_memory(tmp_path: Path) -> None:
    out, into = (defaultdict[int, list[Stages]](list) for _way in range(2))
    for rows in (1, FEW, MANY, MANY):  # the first reads in what is read in once; twice, since what another thread takes is counted too
        World.make()
        with connection.cursor() as cursor:
            cursor.execute(MADE, [rows])
        target = tmp_path / f"city-{rows}-{len(out[rows])}.zip"
        out[rows].append(Stages())
        export_city(target, tell=out[rows][-1].tell)
        out[rows][-1].tell("")
        clear()
        into[rows].append(Stages())
        import_city(target, tell=into[rows][-1].tell)
        into[rows][-1].tell("")
        assert Reporter.objects.count() == rows
        clear()
    for measured in (out, into):
        [few], many = measured[FEW], measured[MANY]
        assert "cases_reporter" in many[0]
        least = {stage: min(one.get(stage, 0) for one in many) for stage in many[0]}
        assert {stage: held for stage, held in least.items() if held - few.get(stage, 0) > FREE} == {}


@pytest.mark.django_db
def test_more_files_take_no_more_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out, whole, into, away = (defaultdict[int, list[int]](list) for _stage in range(4))
    for turn, files in enumerate((1, 200, 2_000, 2_000)):  # twice, since what another thread takes meanwhile is counted too
        folder, new = tmp_path / f"old-{turn}", tmp_path / f"new-{turn}"
        folder.mkdir()
        for number in range(1, files + 1):
            body = str(number).encode()
            (folder / hashlib.sha256(body).hexdigest()).write_bytes(body)
        query = f"SELECT encode(sha256(n::text::bytea), 'hex') FROM generate_series(1, {files}) AS n ORDER BY 1"
        family = contents.Family("models", query, lambda name, folder=folder: folder / name)  # type: ignore[misc]
        monkeypatch.setattr(contents, "FAMILIES", (family,))
        monkeypatch.setitem(contents._BY_NAME, "models", contents.Family("models", query, lambda name, new=new: new / name))  # type: ignore[misc]
        target = tmp_path / f"files-{turn}.zip"
        with connected() as held, Writer(target) as made:
            out[files].append(peak(lambda held=held, made=made: contents.export(held, made)))  # type: ignore[misc]
        with Reader(target) as source, contents.Placed() as placed:
            whole[files].append(peak(lambda source=source: sum(  # type: ignore[misc]
                1 for _ in contents.bodies(source, "files/models.tar", "models"))))

            def put(source: Reader = source, placed: contents.Placed = placed) -> None:
                for name, body in contents.bodies(source, "files/models.tar", "models"):
                    placed.put("models", name, body)

            into[files].append(peak(put))
            assert len(list(new.iterdir())) == files
            away[files].append(peak(placed.take_away))
            assert not list(new.iterdir())
    for measured in (out, whole, into, away):
        assert min(measured[2_000]) - min(measured[200]) < FREE
