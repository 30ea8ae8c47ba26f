"""The reference says what the code does: pages made from it are up to date, and nothing is left out."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command, get_commands

from lianxin.cases.models import RetentionClass, State
from lianxin.cases.retention import PERSONAL
from lianxin.cases.states import TABLE
from lianxin.docs import commands, events, model, pages, permissions, settings, states
from lianxin.organisations.models import Role
from tests.docs.prose import ROOT


@pytest.mark.parametrize("name", pages.PAGES)
def test_a_generated_page_is_up_to_date(name: str) -> None:
    written = (ROOT / name).read_text(encoding="utf-8")
    assert written == pages.rendered(name), f"{name} is out of date: ./run lianxin docs"


def test_the_command_writes_and_checks(tmp_path: Path) -> None:
    with pytest.raises(CommandError):
        call_command("docs", check=True, to=tmp_path, stderr=io.StringIO())
    out = io.StringIO()
    call_command("docs", to=tmp_path, stdout=out)
    assert out.getvalue().split() == list(pages.PAGES)
    call_command("docs", check=True, to=tmp_path)
    page = tmp_path / "docs" / "reference" / "settings.md"
    page.write_text(page.read_text(encoding="utf-8") + "more", encoding="utf-8")
    assert pages.stale(tmp_path) == ["docs/reference/settings.md"]


def test_every_setting_is_documented_and_no_other() -> None:
    in_code = set(settings.read()) | settings.read_elsewhere()
    assert in_code - settings.documented() == set(), "read by the code, not in src/lianxin/docs/settings.py"
    assert settings.documented() - in_code == set(), "documented, but nothing reads it"
    assert all(meaning.strip() for group in settings.GROUPS.values() for meaning in group.values())


def test_settings_are_read_only_through_the_four_readers() -> None:
    source = (ROOT / "src/lianxin/config/settings.py").read_text(encoding="utf-8")
    named = set(re.findall(r'"(LIANXIN_[A-Z0-9_]+)"', source))
    assert named == set(settings.read()), "a variable is read in a way the reference does not see"


def test_every_state_and_action_is_documented() -> None:
    page = states.render()
    assert set(states.STATE_MEANINGS) == set(State)
    for row in TABLE:
        assert f"| `{row.action}` |" in page
        assert states.explained(row.action), row.action
    for row in TABLE:
        for target in row.targets:
            assert re.search(rf"--> {target.value}: [^\n]*\b{row.action}\b", page), row.action


def test_the_matrix_asks_the_policy() -> None:
    by_action = {row.action: row for row in TABLE}
    assert permissions.may(by_action["sign"], Role.CLERK) == "lead"
    assert permissions.may(by_action["assist_reply"], Role.CLERK) == "assisting"
    assert permissions.may(by_action["approve"], Role.REVIEWER) == "●"
    assert permissions.may(by_action["approve"], Role.OPERATOR) == ""
    assert all(permissions.may(row, Role.ADMINISTRATOR) == "" for row in TABLE)


def test_every_command_is_documented() -> None:
    page = (ROOT / "docs/reference/commands.md").read_text(encoding="utf-8")
    held = commands.ours()
    assert {name for name, app in get_commands().items() if str(app).startswith("lianxin.")} <= set(held)
    for name, command in held.items():
        assert f"### lianxin {name}\n" in page
        assert str(command.help).strip(), name
        for action in commands.parser_of(name, command)._actions:
            for option in action.option_strings:
                if action.dest not in commands._BASE:
                    assert f"`{option}`" in page, f"{name} {option}"
    assert set(commands.BORROWED) <= set(get_commands())


def test_the_demo_s_options_are_those_of_its_parser(capsys: pytest.CaptureFixture[str]) -> None:
    from lianxin.demo import supervisor

    with pytest.raises(SystemExit):
        supervisor.main(["--help"])
    offered = set(re.findall(r"--[a-z-]+", capsys.readouterr().out)) - {"--help"}
    assert offered == set(re.findall(r"`(--[a-z-]+)`", commands._demo()))


def test_every_table_of_ours_is_in_the_data_model() -> None:
    page = model.render()
    ours = [one for one in apps.get_models() if one.__module__.startswith("lianxin.")]
    assert [one._meta.db_table for one in ours if f"### {one._meta.db_table}\n" not in page] == []


def test_every_retention_class_and_every_personal_column_is_in_the_data_model() -> None:
    page = model.render()
    assert set(model.RETENTION) == set(RetentionClass)
    for name in PERSONAL:
        label, one, column = name.split(".")
        assert f"`{apps.get_model(label, one)._meta.db_table}.{column}`" in page


def test_every_action_s_event_is_described() -> None:
    held = events.carried()
    assert set(held) == {row.action for row in TABLE}
    assert held["dispatch"].data == ["lead_unit", "catalogue_version", "assisting_units"]
    assert ("public_answer", True) in held["reply"].texts
    assert ("private_note", False) in held["reply"].texts
