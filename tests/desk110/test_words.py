"""Every Chinese sentence of the screen has its English, none of the English is left over, and the tables fit the models."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from itertools import chain
from pathlib import Path

from lianxin_110_desk import cli, words
from lianxin_110_desk.options import VARIABLE
from tests.desk110.world import ROOT, SECRET, environment

SOURCE = ROOT / "src" / "lianxin_110_desk"
HAN = re.compile(r"[\u4e00-\u9fff]")


def in_templates() -> set[str]:
    found: set[str] = set()
    for path in (SOURCE / "templates").rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        tags = re.findall(r"""\{% t (["'])(.+?)\1""", text)
        found.update(said for _quote, said in tags)
        bare = re.sub(r"\{%.*?%\}|\{\{.*?\}\}", "", text)
        assert not HAN.search(bare.replace("中文", "")), path  # nothing Chinese outside the tag
    return found


def in_code() -> set[str]:
    """Constants of `Said`, `NotNow`, `Unfit`, `tell`, `_needed`, `_one_of`; labels; categories."""
    found = set(chain.from_iterable(table.values() for table in words.LABELS.values()))
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                called = getattr(node.func, "id", getattr(node.func, "attr", ""))
                if called in ("Said", "NotNow", "Unfit", "tell", "_needed", "_one_of"):
                    found.update(part.value for part in node.args if isinstance(part, ast.Constant) and HAN.search(str(part.value)))
            if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "CODES":
                found |= set(ast.literal_eval(node.value))
    return found


def test_everything_said_has_its_english() -> None:
    said = in_templates() | in_code()
    assert len(said) > 150
    assert sorted(said - set(words.ENGLISH)) == []
    assert sorted(set(words.ENGLISH) - said) == []
    assert [text for text in words.ENGLISH.values() if HAN.search(text)] == []


def test_places_to_fill_in_are_the_same_in_both() -> None:
    for chinese, english in words.ENGLISH.items():
        assert sorted(re.findall(r"\{\w+\}", chinese)) == sorted(re.findall(r"\{\w+\}", english)), chinese


def test_every_code_of_the_interface_has_a_label() -> None:
    schema = json.loads((SOURCE / "schema" / "messages.json").read_text(encoding="utf-8"))["$defs"]
    for name, label in {"Basis": "basis", "Mode": "mode", "Wish": "wish", "Shared": "shared", "Agreed": "agreed", "PhoneAgreed": "phoned",
                        "Done": "step", "By": "by"}.items():
        assert set(schema[name]["enum"]) == set(words.LABELS[label]), name


def test_the_migrations_make_the_models(tmp_path: Path) -> None:
    options, _browser = cli.read(["--data", str(tmp_path), "--secret", SECRET])
    done = subprocess.run(
        [sys.executable, "-m", "django", "makemigrations", "--check", "--dry-run"], capture_output=True, check=False, timeout=60,
        env={**environment(), VARIABLE: str(options.save()), "DJANGO_SETTINGS_MODULE": "lianxin_110_desk.settings"})
    assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()


def test_bad_options_are_said_plainly(tmp_path: Path) -> None:
    for wrong, why in (
        ([], "--secret"), (["--secret", "topsecret"], "whsec_"), (["--secret", "whsec_abc"], "16 bytes"),
        (["--secret", SECRET, "--misbehave", "sleepy"], "sleepy"), (["--secret", SECRET, "--auto", "accept=2"], "accept"),
        (["--secret", SECRET, "--name", "12345.yueyang"], "same desk"), (["--secret-file", str(tmp_path / "none")], "none"),
    ):
        done = subprocess.run([sys.executable, "-m", "lianxin_110_desk", "--data", str(tmp_path), *wrong], capture_output=True, check=False,
                              timeout=30, env=environment())
        assert done.returncode == 2, wrong
        assert why in done.stdout.decode(), (wrong, done.stdout)
