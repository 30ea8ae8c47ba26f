"""On a CI machine each commit leaves some tests to the others, and together they leave out none."""

from __future__ import annotations

import pytest

from tests.shares import ROOT, SHARES, left_out

COMMITS = ("0" * 39 + "a", "0" * 39 + "b")


def test_two_kinds_of_commits_try_all_between_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    monkeypatch.delenv("LIANXIN_ALL_TESTS", raising=False)
    first, second = (set(left_out(commit)) for commit in COMMITS)
    assert first
    assert second
    assert not first & second
    assert first | second == {name for share in SHARES for name in share}
    assert left_out("") == ()


def test_everywhere_else_all_are_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    assert left_out(COMMITS[0]) == ()
    monkeypatch.setenv("CI", "true")
    monkeypatch.setenv("LIANXIN_ALL_TESTS", "true")
    assert left_out(COMMITS[0]) == ()


def test_they_are_there_and_slow() -> None:
    for name in (name for share in SHARES for name in share):
        assert "mark.slow" in (ROOT / name).read_text(encoding="utf-8"), name
