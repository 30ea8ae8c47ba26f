"""What is wrong with a field, in plain words: one sentence for each kind of fault that pydantic finds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

FAULTS_SAID = 50

FIELD_FAULTS: dict[str, str | Promise] = {
    "missing": gettext_lazy("请填写这一项。"),
    "extra_forbidden": gettext_lazy("没有这个字段。"),
    "literal_error": gettext_lazy("请从列表中选择。"),
    "enum": gettext_lazy("请从列表中选择。"),
    "string_too_long": gettext_lazy("内容太长。"),
    "string_too_short": gettext_lazy("请填写这一项。"),
    "too_short": gettext_lazy("请填写这一项。"),
    "too_long": gettext_lazy("太多了。"),
    "string_pattern_mismatch": gettext_lazy("格式不对。"),
    "timezone_aware": gettext_lazy("时间须带时区，例如 2026-11-23T10:00:00+08:00。"),
}
TYPE_FAULTS: tuple[tuple[str, str | Promise], ...] = (
    ("string_", gettext_lazy("须为文字。")),
    ("bool_", gettext_lazy("须为 true 或 false。")),
    ("datetime_", gettext_lazy("须为 ISO 8601 时间，带时区。")),
    ("date_", gettext_lazy("须为 ISO 8601 日期。")),
    ("uuid_", gettext_lazy("须为 UUID。")),
    ("int_", gettext_lazy("须为整数。")),
    ("float_", gettext_lazy("须为数字。")),
    ("finite_", gettext_lazy("须为数字。")),
    ("greater_", gettext_lazy("超出范围。")),
    ("less_", gettext_lazy("超出范围。")),
    ("list_", gettext_lazy("须为列表。")),
    ("model_", gettext_lazy("须为对象。")),
    ("dict_", gettext_lazy("须为对象。")),
)


def said(kind: str) -> str:
    """The sentence for one kind of pydantic's faults, in the language that is active."""
    exact = FIELD_FAULTS.get(kind)
    if exact is not None:
        return str(exact)
    return str(next((words for start, words in TYPE_FAULTS if kind.startswith(start)), _("格式不对。")))


def listed(errors: Iterable[Mapping[str, Any]], *, skip: int = 0) -> list[tuple[str, str]]:
    """Dotted path and sentence of each fault, at most fifty. `skip` leaves out the first parts of each place."""
    return [(".".join(str(part)[:60] for part in error["loc"][skip:])[:200], said(str(error["type"])))
            for error in list(errors)[:FAULTS_SAID]]
