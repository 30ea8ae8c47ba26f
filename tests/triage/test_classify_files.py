"""The commands and their files: what is wrong is said in words, with exit 1, and nothing half is written."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from lianxin.kernel.errors import Invalid
from lianxin.triage.classify import load
from lianxin.triage.classify.files import Example
from lianxin.triage.classify.model_file import VERSION

from .labelled import examples, write


def triage(*arguments: Any) -> str:
    out = io.StringIO()
    call_command("triage", *map(str, arguments), stdout=out)
    return out.getvalue()


def refused(*arguments: Any) -> str:
    with pytest.raises(CommandError) as caught:
        triage(*arguments)
    assert caught.value.returncode == 1
    return str(caught.value)


@pytest.fixture(scope="module")
def parted() -> list[Example]:
    return [Example(one.title, one.detail, one.label, "valid" if at % 4 == 0 else "train") for at, one in enumerate(examples(40))]


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "small.model"
    triage("train", write(tmp_path / "small.csv", examples(20)), "--out", path)
    return path


def test_train_and_eval(tmp_path: Path, parted: list[Example]) -> None:
    file, model = write(tmp_path / "labelled.csv", parted, parted=True), tmp_path / "one.model"
    packed = tmp_path / "labelled.csv.gz"
    packed.write_bytes(gzip.compress(file.read_bytes()))
    said = triage("train", packed, "--out", model, "--seed", 5)
    assert "macro_f1" in said
    assert load(model).seed == 5
    found = json.loads(triage("eval", file, "--model", model, "--json"))
    assert {"n", "accuracy", "macro_f1", "top3", "ece", "accuracy_at_80"} <= found.keys()
    assert found["n"] == len(parted)
    assert found["seen"] == sum(one.part == "train" for one in parted)
    apart = json.loads(triage("eval", file, "--model", model, "--part", "valid", "--json"))
    assert apart["n"] == sum(one.part == "valid" for one in parted)
    assert apart["seen"] == 0
    assert apart["accuracy"] > 0.8
    table = triage("eval", file, "--model", model)
    assert "学过" in table
    assert "accuracy_at_80" in table


def test_splits_are_measured(tmp_path: Path, model: Path) -> None:
    found = json.loads(triage("eval", write(tmp_path / "rows.csv", examples(20)), "--model", model, "--splits", "--json"))
    assert found["n"] == 60
    assert found["offered"] <= 3
    assert found["pairs_offered"] >= found["cut_right"] > 0
    assert "60" in triage("eval", tmp_path / "rows.csv", "--model", model, "--splits")


def test_variants_are_judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole table runs on any file, and every variant reads better than guessing."""
    from lianxin.triage.classify import ablation

    monkeypatch.setattr("lianxin.triage.classify.measures.DRAWS", 10)
    file = write(tmp_path / "rows.csv", examples(20))
    rows = [json.loads(line) for line in triage("ablate", file, "--json").splitlines()]
    assert [row["variant"] for row in rows] == [one.name for one in ablation.VARIANTS]
    assert rows[0]["difference"] == 0
    assert all(row["accuracy"] > 0.5 for row in rows)
    kinds = [json.loads(line) for line in triage("ablate", file, "--fairness", "--json").splitlines()]
    assert sum(one["n"] for one in kinds if "characters" in one["messages"] and "–" in one["messages"]) == 60
    assert {one["messages"] for one in kinds} >= {"all", "all, in traditional characters"}
    assert triage("ablate", file, "--fairness").startswith("| messages")


def test_parts_of_json_lines_count_as_those_of_a_table(tmp_path: Path, parted: list[Example]) -> None:
    file = tmp_path / "labelled.jsonl"
    file.write_text("".join(json.dumps({"title": one.title, "detail": one.detail, "category": one.label, "part": one.part}) + "\n"
                            for one in parted), encoding="utf-8")
    triage("train", file, "--out", tmp_path / "m")
    assert load(tmp_path / "m").examples == sum(one.part == "train" for one in parted)


def test_everything_is_learnt_when_asked(tmp_path: Path, parted: list[Example]) -> None:
    file, model = write(tmp_path / "labelled.csv", parted, parted=True), tmp_path / "one.model"
    triage("train", file, "--out", model, "--everything")
    assert load(model).examples == len(parted)


def test_eval_with_a_category_the_model_never_heard_of(tmp_path: Path, model: Path) -> None:
    rows = [*examples(5), Example("新", "从来没有学过的一类诉求", "新类别")]
    found = json.loads(triage("eval", write(tmp_path / "new.csv", rows), "--model", model, "--json"))
    assert found["unknown_labels"] == ["新类别"]
    assert found["per_label"]["新类别"]["recall"] == 0
    assert found["top3"] <= 15 / 16
    assert "新类别" in triage("eval", tmp_path / "new.csv", "--model", model)


def test_rows_without_words_or_category_are_left_out_and_counted(tmp_path: Path) -> None:
    rows = [*examples(10), Example("", "", "市政"), Example("有字", "没有类别", "")]
    said = triage("train", write(tmp_path / "rows.csv", rows), "--out", tmp_path / "m")
    assert "2 行" in said
    assert load(tmp_path / "m").examples == 30


def test_old_encodings(tmp_path: Path) -> None:
    file = write(tmp_path / "old.csv", examples(10), encoding="gb18030")
    assert "编码" in refused("train", file, "--out", tmp_path / "m")
    assert not (tmp_path / "m").exists()
    triage("train", file, "--out", tmp_path / "m", "--encoding", "gb18030")
    assert "utf-99" in refused("train", file, "--out", tmp_path / "m2", "--encoding", "utf-99")


@pytest.mark.parametrize(("body", "said"), [
    (b"", "空的"),
    ("title,detail\n一,二\n".encode(), "category"),
    (b"title,detail,category\n", "没有一条"),
    ("title,detail,category\n一,二,三\n四,五,三\n".encode(), "三"),
    ("title,detail,category\n一,二,三\n四,五\n".encode(), "第 3 行"),
    ("title,detail,category\n一,\"二,三\n".encode(), ""),
    (b"\x1f\x8b\x08\x00broken", "压缩"),
    (gzip.compress(b"title,detail,category\n", mtime=0)[:10] + b"\xff" * 40, "压缩"),
    (b"\x00\x01\x02\xff\xfe", ""),
])
def test_bad_files_are_refused(tmp_path: Path, model: Path, body: bytes, said: str) -> None:
    file = tmp_path / "bad.csv"
    file.write_bytes(body)
    assert said in refused("train", file, "--out", tmp_path / "m")
    assert not (tmp_path / "m").exists()


def test_files_that_are_not_there(tmp_path: Path, model: Path) -> None:
    assert "none.csv" in refused("train", tmp_path / "none.csv", "--out", tmp_path / "m")
    file = write(tmp_path / "rows.csv", examples(10))
    assert "none.model" in refused("eval", file, "--model", tmp_path / "none.model")
    assert "no-such" in refused("train", file, "--out", tmp_path / "no-such" / "m")
    assert "test" in refused("eval", file, "--model", model, "--part", "test")
    assert str(tmp_path) in refused("eval", file, "--model", tmp_path)


def rewritten(model: Path, change: Any) -> Path:
    """The model with its JSON altered."""
    with zipfile.ZipFile(model) as packed:
        parts = {name: packed.read(name) for name in packed.namelist()}
    about = json.loads(parts["model.json"])
    change(about)
    parts["model.json"] = json.dumps(about).encode()
    path = model.with_suffix(".altered")
    with zipfile.ZipFile(path, "w") as packed:
        for name, body in parts.items():
            packed.writestr(name, body)
    return path


def test_a_model_of_another_version(model: Path) -> None:
    path = rewritten(model, lambda about: about.update(version=VERSION + 1))
    with pytest.raises(Invalid) as caught:
        load(path)
    assert str(VERSION + 1) in str(caught.value)


@pytest.mark.parametrize("change", [
    lambda about: about.pop("labels"),
    lambda about: about.update(labels=["一", "一", "二"]),
    lambda about: about.update(kind="something else"),
    lambda about: about.update(slope=float("nan")),
    lambda about: about.update(slope=-1),
    lambda about: about["offset"].append(0),
    lambda about: about.update(sure=[1, float("nan"), 0]),
    lambda about: about.update(sure=[1, 0]),
    lambda about: about.update(sure=[1, 0, 0, float("inf")]),
    lambda about: about.update(sure=[1, 0, 0, 0, 0]),
    lambda about: about["blocks"][0].update(sizes=[1, 900]),
    lambda about: about["blocks"][0].update(zone="nowhere"),
    lambda about: about.update(blocks=[]),
    lambda about: about.update(seed="many"),
])
def test_a_model_that_contradicts_itself(model: Path, change: Any) -> None:
    with pytest.raises(Invalid):
        load(rewritten(model, change))


def test_a_damaged_model_never_gets_through(model: Path, tmp_path: Path) -> None:
    """Cut short anywhere, or with a byte changed anywhere, it is refused in words – or reads as before, where the byte
    meant nothing."""
    body = model.read_bytes()
    whole = load(model)
    before = whole.read("路灯", "路灯坏了三天没有人修")
    path, said = tmp_path / "damaged.model", []
    for at in range(0, len(body), max(1, len(body) // 60)):
        path.write_bytes(body[:at])
        with pytest.raises(Invalid):
            load(path)
        path.write_bytes(body[:at] + bytes([body[at] ^ 0x55]) + body[at + 1:])
        try:
            read = load(path)
        except Invalid as error:
            said.append(str(error))
        else:
            assert read.read("路灯", "路灯坏了三天没有人修") == before
    assert said
    assert all(str(path) in one for one in said)


def test_pickles_are_not_read(tmp_path: Path, model: Path) -> None:
    """An array of objects would run what is in it."""
    import numpy as np

    with zipfile.ZipFile(model) as packed:
        parts = {name: packed.read(name) for name in packed.namelist()}
    body = io.BytesIO()
    np.lib.format.write_array(body, np.array([print], dtype=object), allow_pickle=True)
    parts["bias.npy"] = body.getvalue()
    path = tmp_path / "pickled.model"
    with zipfile.ZipFile(path, "w") as packed:
        for name, one in parts.items():
            packed.writestr(name, one)
    with pytest.raises(Invalid):
        load(path)
