"""Whole lives of cases for the demo's past: each way is gone once by the real actions, and then again and again at other times, in other
places and with other units.

What the actions wrote is taken from the tables, its keys, times and units made into blanks, and written anew with the blanks filled: the
log of each case is one that the actions would have made, and a thousand of them cost what an import costs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import connection
from django.db.models import Model

from lianxin.cases import actions as a
from lianxin.cases import clocks
from lianxin.cases.actions.intake import Intake
from lianxin.cases.actions.writing import Rows, register_many
from lianxin.cases.engine import CASE_COLUMNS, plain
from lianxin.cases.models import Assignment, Case, Clock, Contact, Event, EventText, Reply
from lianxin.cases.reference import Place, reference
from lianxin.kernel import clock
from lianxin.kernel.ids import uuid7
from lianxin.organisations.models import Role
from lianxin.quality import actions as q
from lianxin.quality.checklist import items_for
from lianxin.quality.models import CallbackAttempt, Rating, Review

from .seed import Cast, Play, Row

DONE: Final = "已到现场查看并办好，请您再看看。（演示数据）"
# In the order in which rows refer to one another; the case's own row and its reporter's come from the import.
MODELS: Final[tuple[type[Model], ...]] = (
    Assignment, Clock, Event, EventText, Contact, Reply, Review, CallbackAttempt, Rating)
_UUID: Final = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
_INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")
_BLANK: Final = re.compile(r'"§(?!u\d)(\w+)§"|§u(\d+)§')


def _reply(play: Play) -> None:
    a.reply(play.unit(), public_answer=DONE, solved=True)


def _contact(play: Play) -> None:
    a.record_contact(play.unit(), means="phone", reached=True, note="已与诉求人通话。")


def _approve(play: Play) -> None:
    asked = items_for(play.case, reference())
    q.approve(play.hotline(Role.REVIEWER), answers={item.code: "yes" for item in asked})


def _called(outcome: str, **said: Any) -> Callable[[Play], None]:
    def call(play: Play) -> None:
        q.record_callback_attempt(play.hotline(Role.CALLBACK), outcome=outcome, **said)

    return call


def _rate(play: Play) -> None:
    q.rate(play.reporter(), solved=True, satisfaction="satisfied")


def _close(play: Play) -> None:
    q.close(play.hotline(Role.CALLBACK))


def _explain(play: Play) -> None:
    q.close(play.hotline(Role.SUPERVISOR), explanation="已向诉求人说明政策依据和救济途径。（演示数据）")


def _sign(play: Play) -> None:
    a.sign(play.unit())


def _dispatch(play: Play) -> None:
    a.dispatch(play.hotline(Role.DISPATCHER), lead_unit=play.row.route)


_HANDLED: Final = (("sign", _sign), ("contact", _contact), ("reply", _reply), ("approve", _approve))
_MISSED = ("call", _called("no_answer"))
_SOLVED = ("call", _called("reached", truthful=True, solved=True, satisfaction="satisfied"))
_UNSOLVED = ("call", _called("reached", truthful=True, solved=False, satisfaction="dissatisfied"))
_CLOSE = ("close", _close)
Steps = tuple[tuple[str, Callable[[Play], None]], ...]
# A way and how many of a hundred go it: a guess at an ordinary city.
WAYS: Final[tuple[tuple[int, Steps], ...]] = (
    (66, (*_HANDLED, _SOLVED, _CLOSE)), (9, (*_HANDLED, _MISSED, _SOLVED, _CLOSE)), (4, (*_HANDLED, _MISSED, ("rate", _rate), _CLOSE)),
    (10, (*_HANDLED, _MISSED, _MISSED, _MISSED, _CLOSE)), (8, (*_HANDLED, _UNSOLVED, *_HANDLED, _SOLVED, _CLOSE)),
    (3, (*_HANDLED, _UNSOLVED, *_HANDLED, _UNSOLVED, ("close", _explain))),
)
# What those say whose matter was solved, of a hundred.
CONTENT: Final = {"satisfied": 70, "basically": 23, "dissatisfied": 7}


@dataclass(frozen=True, slots=True)
class Life:
    """One way that was gone: its steps (registering and dispatching first), what it left with blanks, how many keys that has, and of each
    clock at which step it started, its minutes and its calendar."""

    steps: tuple[str, ...]
    case: str
    rest: str
    keys: int
    dues: tuple[tuple[int, int, str], ...]

    def lived(self, rows: Rows, at: Sequence[datetime], *, unit: int, code: str, rule: int, clerk: int, content: str) -> str:
        """The rows of another case that went this way at these times; its own row is brought up to its end."""
        case, words = rows.case, next(one for one in rows.events if one["action"] == "register")["digests"]["words"]
        filled = {"content": content, "unit": unit, "lead": code, "rule": rule, "clerk": clerk, "words": words, "area": case["area_id"],
                  "county": case["county_id"], "category": case["category_id"], "kind": case["kind"], "urgency": case["urgency"]}
        told = {name: json.dumps(value) for name, value in filled.items()}
        told |= {f"t{number}": f'"{moment.isoformat()}"' for number, moment in enumerate(at)}
        told |= {f"d{number}": f'"{clocks.promise(start=at[step], minutes=minutes, calendar=calendar).due_at.isoformat()}"'
                 for number, (step, minutes, calendar) in enumerate(self.dues)}
        keys = [case["id"], *(str(uuid7()) for _each in range(self.keys))]

        def blank(match: re.Match[str]) -> str:
            return told[match[1]] if match[1] else keys[int(match[2])]

        rows.case |= json.loads(_BLANK.sub(blank, self.case))
        return _BLANK.sub(blank, self.rest)


def _rows(model: type[Model], case: Case) -> list[dict[str, Any]]:
    where = "reply_id IN (SELECT id FROM cases_reply WHERE case_id = %s)" if model is Review else "case_id = %s"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT to_jsonb(t)::text FROM {model._meta.db_table} t WHERE {where} ORDER BY t.id", [case.pk])
        return [json.loads(row[0]) for row in cursor.fetchall()]


def _blanked(value: Any, blanks: dict[str, dict[Any, str]], times: dict[datetime, str], name: str = "") -> Any:
    """JSON with what differs from life to life made into blanks."""
    if isinstance(value, dict):
        return {key: _blanked(one, blanks, times, key) for key, one in value.items()}
    if isinstance(value, list):
        return [_blanked(one, blanks, times, name) for one in value]
    if isinstance(value, str) and _INSTANT.match(value):
        found = times.get(datetime.fromisoformat(value))
    else:
        found = blanks[name].get(value) if name in blanks and value is not None else None
    return f"§{found}§" if found else value


def _taken(case: Case, steps: tuple[str, ...], instants: Sequence[datetime], *, rule: int, code: str, clerk: int) -> Life:
    times = {at: f"t{number}" for number, at in enumerate(instants)}
    dues: list[tuple[int, int, str]] = []
    for one in Clock.objects.filter(case=case).order_by("id"):
        if times.setdefault(one.due_at, f"d{len(dues)}") == f"d{len(dues)}":
            dues.append((list(instants).index(one.started_at), one.limit_minutes, one.calendar))
    unit, worker = {case.lead_unit_id: "unit"}, {clerk: "clerk"}
    words = Event.objects.get(case=case, action="register").digests["words"]
    blanks: dict[str, dict[Any, str]] = {
        "lead_unit_id": unit, "unit_id": unit, "unit_ids": unit, "rule_id": {rule: "rule"}, "lead_unit": {code: "lead"},
        "actor_id": worker, "officer_id": worker, "by_id": worker, "area_id": {case.area_id: "area"},
        "county_id": {case.county_id: "county"}, "category_id": {case.category_id: "category"}, "words": {words: "words"},
        "kind": {case.kind: "kind"}, "urgency": {case.urgency: "urgency"},
        "satisfaction": {"satisfied": "content"},
    }
    state = {name: plain(getattr(case, name)) for name in (*CASE_COLUMNS, "version")}
    own = json.dumps(_blanked(state, blanks, times), ensure_ascii=False)
    rest = json.dumps(_blanked({model._meta.db_table: _rows(model, case) for model in MODELS}, blanks, times), ensure_ascii=False)
    keys = sorted(set(_UUID.findall(rest)) - {str(case.pk)})
    places = {str(case.pk): 0} | {key: number for number, key in enumerate(keys, 1)}
    return Life(steps, own, _UUID.sub(lambda match: f"§u{places[match.group()]}§", rest), len(keys), tuple(dues))


def moments(begun: datetime, steps: Sequence[str]) -> list[datetime]:
    """When each step of a way is gone for the first time: within working hours, an hour of them apart, and a day before who is called back,
    so that no two clocks that begin at different steps fall due at one instant and would be taken for one another."""
    working = clocks.calendar_named("working")
    made = [working.add(begun, 7).at]
    for name in steps[1:]:
        made.append(working.add(made[-1], 61 + (480 if name == "call" else 0)).at)
    return made


def gone(cast: Cast, begun: datetime, *, category: str, place: Place, unit: str, rule: int) -> list[Life]:
    """Go each way once, from `begun` on."""
    lives = []
    for number, (_share, steps) in enumerate(WAYS):
        play = Play(Row(0, "past", 0.0, category, place.code, "phone", False, "", DONE, unit), cast, number)
        names = ("register", "dispatch", *(name for name, _step in steps))
        instants = moments(begun + timedelta(days=number), names)
        with clock.frozen(instants[0]) as frozen:
            play.case_id = a.register(intake=Intake(
                words=f"{place.name}：请来看看。（演示数据）", channel="phone", category=category, area=place.code, accept=True,
            ), by=cast.actor(Role.OPERATOR)).case_id
            for at, step in zip(instants[1:], (_dispatch, *(step for _name, step in steps)), strict=True):
                frozen.set(at)
                step(play)
        case = play.case
        assert case.lead_unit_id is not None
        lives.append(_taken(case, names, instants, rule=rule, code=unit,
                            clerk=cast.clerk(case.lead_unit_id).staff_id or 0))
    return lives


def written(rows: Sequence[Rows], rests: Sequence[str]) -> None:
    """Write cases with all that belongs to them, in the caller's transaction."""
    register_many(rows=[Rows(case=one.case, reporter=one.reporter) for one in rows])
    parts = ", ".join(f"p{number} AS (INSERT INTO {table} SELECT r.* FROM made, "
                      f"jsonb_populate_recordset(NULL::{table}, made.rows -> '{table}') r)"
                      for number, table in enumerate(model._meta.db_table for model in MODELS))
    with connection.cursor() as cursor:
        cursor.execute(f"WITH made AS MATERIALIZED (SELECT jsonb_array_elements(%s::jsonb) AS rows), {parts} SELECT 1",
                       [f"[{','.join(rests)}]"])
