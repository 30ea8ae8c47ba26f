"""The eyes of all other journeys: what axe-core is asked to find, it finds."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser import axe

pytestmark = pytest.mark.browser


def test_faults_are_found_and_only_where_they_are_looked_for(desktop: Any) -> None:
    desktop.set_content("""<!doctype html><html lang="zh"><head><title>页</title></head><body>
      <main><h1>页</h1><p id="well">看得清。</p>
      <p id="pale" style="color:#bbb;background:#fff">看不清。</p>
      <input id="nameless"></main></body></html>""")
    found = axe(desktop)
    assert [line.partition(": ")[0] for line in found] == ["color-contrast", "label"]
    assert '["#pale"]' in found[0]
    assert '["#nameless"]' in found[1]
    assert axe(desktop, within="#well") == []
