"""A city's own model: learnt from its texts and closed cases, kept in versions, put in force without a restart."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from lianxin.cases.models import Case
from lianxin.kernel.clock import Frozen
from lianxin.triage import learnt, store
from lianxin.triage.models import LearntModel
from lianxin.triage.reading import heard
from tests.cases.ways import walk
from tests.world import World

pytestmark = pytest.mark.django_db

LAMPS = ("路灯不亮", "路灯坏了好几天", "巷子里路灯一闪一闪", "晚上没有路灯太黑", "路灯杆歪了灯也灭了", "新修的路没装路灯", "灯泡坏了没人换",
         "广场边的路灯白天也亮着")
NOISE = ("工地半夜打桩", "楼下施工吵得睡不着", "搅拌车凌晨还在响", "半夜挖机作业", "装修电钻一早就响", "夜里切割钢筋很吵",
         "工地噪声太大孩子没法写作业", "中午还在敲墙")


@pytest.fixture(autouse=True)
def own_directory(tmp_path: Path, settings: Any) -> None:
    settings.DATA = tmp_path / "data"


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    folder = tmp_path / "training"
    folder.mkdir()
    rows = [f"{said[:4]},{said}。,{code}" for code, all_of in (("010101", LAMPS), ("010102", NOISE)) for said in all_of]
    (folder / "a.csv").write_text("title,detail,category\n" + "\n".join(rows) + "\n不要,城里没有的事项。,999999\n", encoding="utf-8")
    return folder


def test_it_reads_at_once_and_can_be_taken_out(world: World, texts: Path) -> None:
    assert heard("村口路灯不亮").model is None
    model = learnt.learn(texts=texts, cases=0, use=True)
    made = heard("村口路灯不亮")
    assert made.model == model
    assert made.found[0].code == "010101"
    assert any("路灯" in word for word in made.found[0].words)
    assert model.examples == 16
    store.take_out()
    assert heard("村口路灯不亮").model is None


def test_only_one_is_in_force(world: World, texts: Path) -> None:
    first = learnt.learn(texts=texts, cases=0, use=True)
    second = learnt.learn(texts=texts, cases=0, seed=1, use=True)
    assert (first.number, second.number) == (1, 2)
    assert list(LearntModel.objects.filter(in_force=True).values_list("number", flat=True)) == [2]
    store.put_in_force(1)
    assert heard("村口路灯不亮").model == first


def test_the_same_again_is_the_same_version(world: World, texts: Path) -> None:
    assert learnt.learn(texts=texts, cases=0).pk == learnt.learn(texts=texts, cases=0).pk


def test_closed_cases_are_learnt_masked(world: World, monday: Frozen) -> None:
    case_id = walk(world, world.case(words="我叫王小明，电话13812342201，路灯不亮三天了。"),
                   ("accept", "dispatch", "sign", "reply", "approve", "record_callback_attempt", "close"))
    ((_title, words, code),) = learnt.closed_cases()
    assert "13812342201" not in words
    assert "王小明" not in words
    assert "路灯不亮三天了" in words
    assert code == Case.objects.get(pk=case_id).category.code  # type: ignore[union-attr]


def test_a_damaged_file_leaves_the_rules_to_read(world: World, texts: Path, caplog: Any) -> None:
    model = learnt.learn(texts=texts, cases=0, use=True)
    path = store.path_of(model)
    path.write_bytes(path.read_bytes()[:-3] + b"xyz")
    store.forget()
    assert heard("村口路灯不亮").model is None
    assert "改动过" in caplog.text
    with pytest.raises(CommandError, match="重新训练"):
        call_command("triage", "use", "1")


def test_commands(world: World, texts: Path) -> None:
    def said(*arguments: str) -> str:
        out = StringIO()
        call_command("triage", *arguments, stdout=out)
        return out.getvalue()

    assert "还没有训练过" in said("models")
    assert "第 1 版" in said("learn", "--texts", str(texts), "--cases", "0")
    assert not LearntModel.objects.get().in_force
    assert "第 1 版" in said("use", "1")
    assert "* " in said("models")
    assert "关键词" in said("use", "rules")
    for wrong in (("use", "7"), ("use", "²"), ("keep", str(texts / "a.csv")), ("learn", "--cases", "0")):
        with pytest.raises(CommandError):
            said(*wrong)
