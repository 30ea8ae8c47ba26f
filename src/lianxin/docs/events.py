"""docs/reference/events.md: what each event carries, read from the source of the action that appends it."""

from __future__ import annotations

import ast
import inspect
from dataclasses import dataclass, field
from typing import Any

from lianxin.cases.engine import ASSIGNMENT_COLUMNS, CASE_COLUMNS, CLOCK_COLUMNS
from lianxin.cases.messages import message_for
from lianxin.cases.models import Event, EventText
from lianxin.cases.states import TABLE
from lianxin.kernel.syntax import parsed

from .actions import modules
from .markdown import code, codes, page, sentence, table


@dataclass(slots=True)
class Carried:
    """`data` keys and words of one event; the words with whether the reporter may read them."""

    data: list[str] = field(default_factory=list)
    texts: list[tuple[str, bool]] = field(default_factory=list)

    def add(self, other: Carried) -> None:
        self.data += [name for name in other.data if name not in self.data]
        self.texts += [text for text in other.texts if text not in self.texts]


# Written as rows, not through a step: the names stand in `intake.rows_for` and `housekeeping.anonymise_due`.
BY_HAND = {
    "register": Carried(["channel", "source", "imported_at", "limits_of", "due_from"]),
    "close_imported": Carried(["source"], [("explanation", False)]),
    "anonymise": Carried(),
}


def _is_step(node: ast.expr, attribute: str) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == attribute and isinstance(node.value, ast.Name) and node.value.id == "step"


def _carried(function: ast.FunctionDef, known: dict[str, ast.FunctionDef], seen: frozenset[str] = frozenset()) -> Carried:
    found = Carried()
    for node in ast.walk(function):
        if not isinstance(node, ast.Call):
            continue
        name = node.func
        if isinstance(name, ast.Attribute) and name.attr == "update" and _is_step(name.value, "data"):
            found.add(Carried([word.arg for word in node.keywords if word.arg]))
        elif _is_step(name, "say") and isinstance(node.args[0], ast.Constant):
            public = next((word.value for word in node.keywords if word.arg == "public"), ast.Constant(False))
            found.add(Carried(texts=[(str(node.args[0].value), bool(getattr(public, "value", False)))]))
        elif isinstance(name, ast.Name) and name.id in known and name.id not in seen:
            found.add(_carried(known[name.id], known, seen | {name.id}))
    return found


def carried() -> dict[str, Carried]:
    """By action."""
    functions: dict[str, ast.FunctionDef] = {}
    actions: dict[str, ast.FunctionDef] = {}
    for module in modules():
        for node in parsed(inspect.getsource(module)).body:
            if not isinstance(node, ast.FunctionDef):
                continue
            functions[node.name] = node
            for mark in node.decorator_list:
                if isinstance(mark, ast.Call) and getattr(mark.func, "id", "") == "action":
                    actions[str(getattr(mark.args[0], "value", ""))] = node
    helpers = {name: node for name, node in functions.items() if node not in actions.values()}
    return {**{name: _carried(node, helpers) for name, node in actions.items()}, **BY_HAND}


def _messages() -> dict[str, str]:
    """Action → template of the message, from the table in `message_for`."""
    for node in ast.walk(parsed(inspect.getsource(message_for))):
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "names":
            return dict(ast.literal_eval(node.value))
    raise AssertionError("message_for has no table of names")


def _field_rows() -> list[tuple[str, str]]:
    told: dict[str, str] = {
        "id": "UUIDv7; its order is the order of what happened, and its month the partition", "case_id": "the case",
        "assignment_id": "the unit's part on whose behalf it was done, if any", "action": "name in the table of transitions",
        "at": "when it happened (for imports, in the other system)", "from_state": "state before; empty at registration",
        "to_state": "state after; the same when the action leaves it", "actor_kind": "staff, reporter, system or partner",
        "actor_id": "the member of staff", "unit_id": "the unit they acted for", "via": "desk, web, api, import …",
        "public": "whether the reporter sees it", "version": "the case's version after it",
        "changes": "every state column it set", "data": "facts of the action that are no state, see below",
        "digests": "SHA-256 of each text that belongs to it",
    }
    return [(code(one.column), told[str(one.column)]) for one in Event._meta.concrete_fields]


def render() -> str:
    held, messages = carried(), _messages()
    rows: list[tuple[Any, ...]] = []
    for row in TABLE:
        one = held[row.action]
        texts = ", ".join(f"`{name}`" + (" (public)" if public else "") for name, public in one.texts)
        rows.append((code(row.action), row.label, "yes" if row.public else "", codes(one.data), texts, code(messages.get(row.action, ""))))
    return page(
        "Events", "src/lianxin/cases/models/record.py and the source of the actions",
        "Every change of a case appends one event to `cases_event` in the transaction of the change. Events are never "
        "updated or deleted; a trigger refuses it. Why it is so: [why-events.md](../explanation/why-events.md).",
        "## An event", table(("column", ""), _field_rows()),
        "`changes` has up to three parts: `case` with columns and values, `assignments` and `clocks` with the same by id. "
        "Folding the events of a case, oldest first, gives every state column again "
        "(`lianxin.cases.rebuild`):",
        table(("part", "columns"), (("case", codes(CASE_COLUMNS)), ("assignments", codes(ASSIGNMENT_COLUMNS)),
                                    ("clocks", codes(CLOCK_COLUMNS)))),
        "## Words", sentence(EventText)
        + " They lie in `cases_eventtext`, so that retention can empty them while the log stands. The digest in the event then "
        "still proves that nobody put other words in their place before.",
        "## What each action's event carries",
        "*Message*: the template of the message to a reporter who left a telephone and agreed.",
        table(("action", "", "reporter sees it", "data", "words", "message"), rows),
        "The words a reporter first said are no event's: they stand in `cases_case.words`, with their digest in the "
        "event of the registration.",
    )
