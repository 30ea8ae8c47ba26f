"""XLSForm's conditions as JSON Schema: read once when a city is loaded, so that neither server nor telephone needs an XPath.

What is understood of XPath: `${question}` or `.` compared (`= != < <= > >=`) with a number or a quoted text, `selected(…, 'x')`,
`string-length(…)` compared with a number, `not(…)`, `and`, `or`, parentheses. docs/reference/forms.md lists it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

Schema = dict[str, Any]
NUMBERS, TEXTS, CHOSEN, MANY, PHOTO = "number", "text", "one", "many", "photo"
_TOKEN = re.compile(r"""\s*(?:(?P<ref>\$\{[A-Za-z_][A-Za-z0-9_.-]*\})|(?P<number>-?[0-9]+(?:\.[0-9]+)?)|(?P<text>'[^']*'|"[^"]*")"""
                    r"""|(?P<name>[a-z]+(?:-[a-z]+)*)|(?P<sign><=|>=|!=|=|<|>|\(|\)|,|\.))""")
_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "=", "!=": "!="}
_BOUNDS = {"<": "exclusiveMaximum", "<=": "maximum", ">": "exclusiveMinimum", ">=": "minimum"}
_LENGTHS: dict[str, Callable[[int], Schema]] = {
    "<": lambda n: {"maxLength": n - 1}, "<=": lambda n: {"maxLength": n},
    ">": lambda n: {"minLength": n + 1}, ">=": lambda n: {"minLength": n}, "=": lambda n: {"minLength": n, "maxLength": n}}
MOST_DEEP = 20


@dataclass(frozen=True, slots=True)
class Asked:
    """What a condition needs to know of a question: how it is answered, and the names of its choices."""

    kind: str
    choices: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class _Operand:
    """One side of a comparison: a question (`name`, empty for `.`), its length, or a value written down."""

    name: str | None = None
    length: bool = False
    value: str | float | int | None = None


def compile_condition(text: str, questions: Mapping[str, Asked], *, own: Asked | None = None) -> Schema:
    """The condition as a JSON Schema 2020-12: of the object of all answers, or with `own` of the one answer that `.` is.

    An unanswered question is XPath's empty text: equal to `''` only, less or greater than nothing. Raises ValueError, said
    for whoever writes the form.
    """
    return _Parser(text, questions, own).whole()


class _Parser:
    def __init__(self, text: str, questions: Mapping[str, Asked], own: Asked | None) -> None:
        self.questions, self.own, self.depth = questions, own, 0
        self.tokens: list[tuple[str, str]] = []
        at = 0
        while text[at:].strip():
            match = _TOKEN.match(text, at)
            if match is None:
                raise ValueError(_("看不懂“%s”这里") % text[at:].strip()[:20])
            self.tokens.append((str(match.lastgroup), match[str(match.lastgroup)]))
            at = match.end()
        self.place = 0

    def whole(self) -> Schema:
        found = self._any()
        if self.place < len(self.tokens):
            raise ValueError(_("看不懂“%s”这里") % self.tokens[self.place][1])
        return found

    def _peek(self) -> tuple[str, str]:
        return self.tokens[self.place] if self.place < len(self.tokens) else ("end", "")

    def _take(self, *wanted: str) -> bool:
        if self._peek()[1] in wanted and self._peek()[0] in ("name", "sign"):
            self.place += 1
            return True
        return False

    def _need(self, sign: str) -> None:
        if not self._take(sign):
            raise ValueError(_("“%(found)s”这里应是“%(sign)s”") % {"found": self._peek()[1] or _("结尾"), "sign": sign})

    def _any(self) -> Schema:
        parts = [self._all()]
        while self._take("or"):
            parts.append(self._all())
        return parts[0] if len(parts) == 1 else {"anyOf": parts}

    def _all(self) -> Schema:
        parts = [self._one()]
        while self._take("and"):
            parts.append(self._one())
        return parts[0] if len(parts) == 1 else {"allOf": parts}

    def _one(self) -> Schema:
        self.depth += 1
        if self.depth > MOST_DEEP:
            raise ValueError(_("条件套得太深"))
        try:
            if self._take("("):
                found = self._any()
                self._need(")")
                return found
            if self._peek() == ("name", "not"):
                self.place += 1
                self._need("(")
                found = self._any()
                self._need(")")
                return {"not": found}
            if self._peek() == ("name", "selected"):
                return self._selected()
            return self._comparison()
        finally:
            self.depth -= 1

    def _selected(self) -> Schema:
        self.place += 1
        self._need("(")
        operand = self._operand()
        self._need(",")
        kind, value = self._peek()
        self.place += 1
        self._need(")")
        if operand.name is None or kind != "text":
            raise ValueError(_("selected() 应写成 selected(${name}, 'choice')"))
        asked = self._asked(operand.name)
        if asked.kind not in (CHOSEN, MANY):
            raise ValueError(_("%s 不是选择题，不能用 selected()") % (operand.name or "."))
        self._offered(asked, value[1:-1])
        return self._of(operand.name, {"contains": {"const": value[1:-1]}, "type": "array"} if asked.kind == MANY
                        else {"const": value[1:-1]})

    def _operand(self) -> _Operand:
        kind, value = self._peek()
        self.place += 1
        if kind == "ref":
            return _Operand(name=value[2:-1])
        if value == "." and kind == "sign":
            return _Operand(name="")
        if kind == "number":
            return _Operand(value=float(value) if "." in value else int(value))
        if kind == "text":
            return _Operand(value=value[1:-1])
        if value == "string-length":
            self._need("(")
            inner = self._operand()
            self._need(")")
            if inner.name is None:
                raise ValueError(_("string-length() 里应是一个问题"))
            return _Operand(name=inner.name, length=True)
        raise ValueError(_("看不懂“%s”这里") % (value or _("结尾")))

    def _comparison(self) -> Schema:
        left = self._operand()
        kind, sign = self._peek()
        if kind != "sign" or sign not in _MIRRORED:
            raise ValueError(_("“%s”这里应是比较，如 = '有' 或 > 3") % (sign or _("结尾")))
        self.place += 1
        right = self._operand()
        if left.name is None and right.name is not None:
            left, right, sign = right, left, _MIRRORED[sign]
        if left.name is None or right.value is None:
            raise ValueError(_("一边应是问题，另一边应是写明的数或带引号的文字"))
        return self._compared(left.name, left.length, sign, right.value)

    def _compared(self, name: str, length: bool, sign: str, value: str | float | int) -> Schema:
        asked = self._asked(name)
        if length:
            return self._length(name, asked, sign, value)
        if value == "" and sign in ("=", "!="):
            if name == "":
                raise ValueError(_("要求必填请写在 required 列"))
            answered: Schema = {"required": [name]}
            return answered if sign == "!=" else {"not": answered}
        if asked.kind == NUMBERS:
            if isinstance(value, str):
                raise ValueError(_("%s 填的是数，不能和文字比较") % (name or "."))
            if sign in _BOUNDS:
                return self._of(name, {"type": "number", _BOUNDS[sign]: value})
        elif sign in _BOUNDS or not isinstance(value, str):
            raise ValueError(_("%s 填的不是数") % (name or "."))
        elif asked.kind == MANY:
            raise ValueError(_("%s 可选多项，请用 selected()") % (name or "."))
        elif asked.kind == PHOTO:
            raise ValueError(_("%s 是照片，只能和 '' 比较") % (name or "."))
        if asked.kind == CHOSEN:
            self._offered(asked, str(value))
        same = self._of(name, {"const": value})
        return same if sign == "=" else {"not": same}

    def _length(self, name: str, asked: Asked, sign: str, value: str | float | int) -> Schema:
        if asked.kind != TEXTS or not isinstance(value, int) or value < (1 if sign == "<" else 0):
            raise ValueError(_("string-length() 只用于文字题，和整数比较"))
        if sign == "!=":
            return {"not": self._of(name, {"type": "string", **_LENGTHS["="](value)})}
        return self._of(name, {"type": "string", **_LENGTHS[sign](value)})

    def _asked(self, name: str) -> Asked:
        if name == "":
            if self.own is None:
                raise ValueError(_("“.”只能用在 constraint 里"))
            return self.own
        if self.own is not None:
            raise ValueError(_("constraint 只能说“.”自己，不能说别的问题"))
        if name not in self.questions:
            raise ValueError(_("前面没有 %s 这个问题（条件只能说前面的问题）") % name)
        return self.questions[name]

    def _offered(self, asked: Asked, value: str) -> None:
        if value not in asked.choices:
            raise ValueError(_("选项里没有 %s") % value)

    def _of(self, name: str, schema: Schema) -> Schema:
        return schema if name == "" else {"required": [name], "properties": {name: schema}}
