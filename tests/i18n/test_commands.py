"""Commands speak the shell's language."""

from __future__ import annotations

import pytest
from django.utils.translation import get_language, override

from lianxin import cli


@pytest.mark.parametrize(("locale", "language"), [
    ("zh_CN.UTF-8", "zh-hans"), ("zh_TW.UTF-8", "zh-hant"), ("zh_HK", "zh-hant"), ("C.UTF-8", "en"), ("de_DE.UTF-8", "en"),
    ("", "en"),
])
def test_a_command_speaks_the_language_of_the_shell(monkeypatch: pytest.MonkeyPatch, locale: str, language: str) -> None:
    monkeypatch.delenv("LC_ALL", raising=False)
    monkeypatch.delenv("LC_MESSAGES", raising=False)
    monkeypatch.setenv("LANG", locale)
    with override("zh-hans"):
        cli._speak()
        assert get_language() == language


def test_only_commands_that_speak_to_a_person_do() -> None:
    assert not cli.SPEAKING & {"procrastinate", "docs", "migrate", "prepare_demo"}
