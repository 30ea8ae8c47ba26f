"""Migrating makes few classes, and what reads other models still gets them as they are."""

from __future__ import annotations

from django.db import models
from django.db.migrations.state import ModelState, ProjectState

from lianxin.operations.management.commands.migrate import few_classes


def _joined(name: str, to: str = "") -> ModelState:
    fields: list[tuple[str, models.Field]] = [("id", models.BigAutoField(primary_key=True))]
    if to:
        fields.append(("up", models.ForeignKey(f"sample.{to}", models.CASCADE, related_name=f"{name}s")))
    return ModelState("sample", name, fields)


def _made(state: ProjectState) -> dict[str, type[models.Model]]:
    return {model.__name__: model for model in state.apps.get_models()}


def test_a_step_makes_the_class_it_changes_and_reading_gets_all() -> None:
    state = ProjectState()
    for one in (_joined("top"), _joined("middle", "top"), _joined("leaf", "middle")):
        state.add_model(one)
    before = _made(state)
    with few_classes():
        state.add_model(_joined("other", "middle"))
        state.add_field("sample", "top", "note", models.TextField(default=""), preserve_default=True)
        now = _made(state)
        assert {name for name in before if now[name] is not before[name]} == {"top"}
        assert now["top"]._meta.get_field("note")
        state.clear_delayed_apps_cache()  # as a `RunPython` begins
        fresh = _made(state)
    assert not {*fresh.values()} & {*now.values()}
    assert fresh["middle"]._meta.get_field("up").related_model is fresh["top"]
    assert fresh["middle"]._meta.get_field("others").related_model is fresh["other"]
    state.add_model(_joined("last", "middle"))
    assert _made(state)["middle"] is not fresh["middle"], "elsewhere Django is as it was"
