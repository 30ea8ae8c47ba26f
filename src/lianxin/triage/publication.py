"""What is proposed to be public of a case."""

from __future__ import annotations

from lianxin.cases.actions.identity import without_name
from lianxin.cases.models import Case

from .personal import BLACK, redacted


def proposed(case: Case, text: str) -> str:
    """`text` of a case with personal data and the name its reporter gave blacked out. A person reads and decides."""
    return redacted(without_name(case, text, black=BLACK))
