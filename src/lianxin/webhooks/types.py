"""The types of events that can be subscribed to: one for each row of the transition table."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from lianxin.cases.states import TABLE
from lianxin.kernel.errors import Invalid

PREFIX: Final = "case."
TEST: Final = "webhook.test"


@cache
def types() -> dict[str, str | Promise]:
    """Every type with what it is called, in the order of the table."""
    return {PREFIX + row.action: row.label for row in TABLE}


def type_of(action: str) -> str:
    return PREFIX + action


def checked(said: Iterable[str]) -> list[str]:
    """Types as they are kept: known ones, each once, in the order of the table. Raises Invalid."""
    asked = {one.strip() for one in said if one.strip()}
    if unknown := sorted(asked - types().keys()):
        raise Invalid(fields={"types": str(_("没有这种事件：%s")) % "、".join(one[:60] for one in unknown[:5])})
    return [name for name in types() if name in asked]
