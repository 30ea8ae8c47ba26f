"""The demo learns from the city's training texts once, after it has opened."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from procrastinate.contrib.django.models import ProcrastinateJob

from lianxin.demo import tasks
from lianxin.triage import store
from lianxin.triage.hot.tasks import work_out
from lianxin.triage.models import LearntModel
from tests.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def texts(tmp_path: Path, settings: Any) -> Path:
    settings.DATA = tmp_path / "data"
    folder = tmp_path / "training"
    folder.mkdir()
    said = {"010101": ("路灯坏了", "路灯不亮", "巷子没有路灯", "灯杆歪了"), "010102": ("工地打桩", "半夜施工", "电钻太吵", "夜里挖机响")}
    (folder / "a.csv").write_text("title,detail,category\n" + "".join(
        f",{words}，请来看看。,{code}\n" for code, every in said.items() for words in every), encoding="utf-8")
    return folder


def waiting() -> int:
    return ProcrastinateJob.objects.filter(task_name="demo.learn", status="todo").count()


def test_it_is_learnt_once_and_in_force(world: World, texts: Path) -> None:
    assert tasks.read_along(texts)
    assert tasks.read_along(texts)  # still waiting: one job all the same
    assert waiting() == 1
    tasks.learn(texts=str(texts))
    assert LearntModel.objects.get().in_force
    assert not tasks.read_along(texts)
    store.take_out()
    tasks.learn(texts=str(texts))  # a second worker, or a job that waited twice
    assert LearntModel.objects.get().in_force is False


def test_other_texts_are_learnt_again(world: World, texts: Path) -> None:
    tasks.learn(texts=str(texts))
    with (texts / "a.csv").open("a", encoding="utf-8") as file:
        file.write(",路灯一闪一闪的，晃眼睛。,010101\n")
    assert tasks.read_along(texts)
    tasks.learn(texts=str(texts))
    assert LearntModel.objects.get(in_force=True).number == 2


def test_what_broke_off_is_learnt_at_the_next_start(world: World, texts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(**_said: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(tasks.learnt, "learn", broken)
        with pytest.raises(KeyboardInterrupt):
            tasks.learn(texts=str(texts))
    assert tasks.read_along(texts)


def test_a_city_without_texts_learns_nothing(world: World, tmp_path: Path) -> None:
    assert not tasks.read_along(tmp_path / "training")
    assert waiting() == 0


def test_hot_issues_are_looked_for_once_before_the_worker_s_hour(world: World) -> None:
    def jobs() -> int:
        return ProcrastinateJob.objects.filter(task_name="hot.work_out", status="todo").count()

    tasks.gather()
    tasks.gather()
    assert jobs() == 1
    ProcrastinateJob.objects.filter(task_name="hot.work_out").delete()
    work_out(timestamp=0)
    tasks.gather()
    assert jobs() == 0
