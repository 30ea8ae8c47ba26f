"""Filters (RFC 7644, section 3.4.2.2) as conditions of the database: the whole grammar, over the attributes that are searched by."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db.models import Q

from lianxin.kernel.text import from_json

from .errors import ScimFault

LONGEST = 2000
DEEPEST = 20
_TOKEN = re.compile(r'\s*(?:(?P<text>"(?:[^"\\]|\\.)*")|(?P<sign>[()\[\]])|(?P<word>[^\s()\[\]"]+))')
_LOOKUPS = {"eq": "", "co": "contains", "sw": "startswith", "ew": "endswith", "gt": "gt", "ge": "gte", "lt": "lt", "le": "lte"}
_ORDER = ("gt", "ge", "lt", "le")


class Attribute:
    """What a filter may ask for: the field that answers, and how its values are written. `fixed` are further conditions on the same
    joined row."""

    def __init__(self, field: str, kind: str = "text", *, exact: bool = False, fixed: Mapping[str, Any] | None = None) -> None:
        self.field, self.kind, self.exact, self.fixed = field, kind, exact, dict(fixed or {})

    def q(self, operator: str, value: Any) -> Q:
        if operator == "pr":
            held = Q(**{f"{self.field}__isnull": False})
            return self._with(held & ~Q(**{self.field: ""}) if self.kind == "text" else held)
        if operator == "ne":
            return ~self.q("eq", value)
        if value is None:
            if operator != "eq":
                raise ScimFault(400, f"{operator} null", "invalidFilter")
            return ~self.q("pr", None)
        value = self._typed(operator, value)
        lookup = _LOOKUPS[operator]
        if self.kind == "text" and not self.exact and operator not in _ORDER:
            lookup = f"i{lookup}" if lookup else "iexact"
        return self._with(Q(**{f"{self.field}__{lookup}" if lookup else self.field: value}))

    def _with(self, held: Q) -> Q:
        return held & Q(**self.fixed) if self.fixed else held

    def _typed(self, operator: str, value: Any) -> Any:
        fault = ScimFault(400, f"{operator} does not fit the attribute or its value", "invalidFilter")
        if self.kind == "text":
            if not isinstance(value, str):
                raise fault
            return value.replace("\0", "")
        if self.kind == "boolean":
            if operator != "eq" or not isinstance(value, bool):
                raise fault
            return value
        if not isinstance(value, str) or operator in ("co", "sw", "ew"):
            raise fault
        if self.kind == "id":
            if operator != "eq":
                raise fault
            return int(value) if value.isascii() and value.isdigit() and len(value) < 19 else -1
        try:
            at = datetime.fromisoformat(value)
        except ValueError:
            raise fault from None
        if at.tzinfo is None:
            raise fault
        return at


class _Reader:
    def __init__(self, text: str, attributes: Mapping[str, Attribute]) -> None:
        if len(text) > LONGEST:
            raise ScimFault(400, "the filter is too long", "invalidFilter")
        self._attributes = attributes
        self._tokens: list[str] = []
        at = 0
        text = text.strip()
        while at < len(text):
            found = _TOKEN.match(text, at)
            if found is None:
                raise self._fault(text[at:])
            self._tokens.append(found.group("text") or found.group("sign") or found.group("word"))
            at = found.end()
        self._at = 0
        self._deep = 0

    def _fault(self, where: str = "") -> ScimFault:
        return ScimFault(400, f"the filter cannot be read near {where[:60] or 'its end'}", "invalidFilter")

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _next(self) -> str:
        token = self._peek()
        if not token:
            raise self._fault()
        self._at += 1
        return token

    def whole(self) -> Q:
        made = self._any("")
        if self._peek():
            raise self._fault(self._peek())
        return made

    def _any(self, prefix: str) -> Q:
        made = self._all(prefix)
        while self._peek().lower() == "or":
            self._next()
            made |= self._all(prefix)
        return made

    def _all(self, prefix: str) -> Q:
        made = self._one(prefix)
        while self._peek().lower() == "and":
            self._next()
            made &= self._one(prefix)
        return made

    def _one(self, prefix: str) -> Q:
        self._deep += 1
        if self._deep > DEEPEST:
            raise self._fault("(")
        try:
            token = self._next()
            if token.lower() == "not" and self._peek() == "(":
                self._next()
                return ~self._closed(prefix, ")")
            if token == "(":
                return self._closed(prefix, ")")
            path = f"{prefix}{token}"
            if self._peek() == "[" and not prefix:
                self._next()
                return self._closed(f"{path}.", "]")
            return self._compared(path)
        finally:
            self._deep -= 1

    def _closed(self, prefix: str, end: str) -> Q:
        made = self._any(prefix)
        if self._next() != end:
            raise self._fault(end)
        return made

    def _compared(self, path: str) -> Q:
        attribute = self._attributes.get(path.lower().removeprefix("urn:ietf:params:scim:schemas:core:2.0:user:"))
        if attribute is None:
            raise ScimFault(400, f"no filter by {path[:60]}", "invalidFilter")
        operator = self._next().lower()
        if operator == "pr":
            return attribute.q("pr", None)
        if operator != "ne" and operator not in _LOOKUPS:
            raise self._fault(operator)
        raw = self._next()
        try:
            value = from_json(raw)
        except ValueError:
            raise self._fault(raw) from None
        return attribute.q(operator, value)


def condition(text: str, attributes: Mapping[str, Attribute]) -> Q:
    """A filter as a condition. Raises ScimFault with `invalidFilter`. Names of attributes are in small letters."""
    return _Reader(text, attributes).whole()
