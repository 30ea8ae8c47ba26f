"""docs/reference/time-limits.md: Yueyang's table in words, and how a limit is chosen."""

from __future__ import annotations

import csv

from lianxin.cases.models import Kind, TimeLimit, Urgency
from lianxin.worktime import Calendar

from .markdown import code, page, table
from .settings import CHECKOUT

FILE = CHECKOUT / "cities" / "yueyang" / "time_limits.csv"
CATEGORIES = CHECKOUT / "cities" / "yueyang" / "categories.csv"


def in_words(minutes: int, calendar: str) -> str:
    """`2 working days` (of 420 minutes), `30 min`."""
    if calendar == "around_the_clock":
        return f"{minutes // 60} h" if minutes % 60 == 0 else f"{minutes} min"
    day = Calendar.chinese().minutes_a_day
    if minutes % day == 0:
        return f"{minutes // day} working day" + ("s" if minutes > day else "")
    return f"{minutes // 60} working h" if minutes % 60 == 0 else f"{minutes} working min"


def _rows(path: object) -> list[dict[str, str]]:
    with open(str(path), encoding="utf-8-sig", newline="") as lines:
        return list(csv.DictReader(line for line in lines if not line.startswith("#")))


def render() -> str:
    names = {row["code"]: row["name"] for row in _rows(CATEGORIES)}
    kinds, urgencies, tracks = dict(Kind.choices), dict(Urgency.choices), dict(TimeLimit.Case.choices)
    rows = []
    for row in _rows(FILE):
        numbers = [in_words(int(row[name]), row["calendar"]) for name in ("sign_for", "first_contact", "resolve")]
        category = f"{code(row['category'])} {names[row['category']]}" if row["category"] else "any"
        kind = f"{code(row['kind'])} {kinds[row['kind']]}" if row["kind"] else "any"
        urgency = f"{code(row['urgency'])} {urgencies[row['urgency']]}" if row["urgency"] else "any"
        rows.append((category, kind, urgency, f"{code(row['track'])} {tracks[row['track']]}", *numbers,
                     "around the clock" if row["calendar"] == "around_the_clock" else "working time"))
    spans = ", ".join(f"{start:%H:%M}–{end:%H:%M}" for start, end in Calendar.chinese().hours.full)
    return page(
        "Time limits", "cities/yueyang/time_limits.csv",
        "These are Yueyang's limits. A city changes them in `time_limits.csv` of its own directory "
        "([load-a-city.md](../howto/load-a-city.md)); each row says from when until when it is in force.",
        table(("category", "kind", "urgency", "track", "sign for", "first contact", "resolve", "counted in"), rows),
        f"A working day is {spans} in China Standard Time, {Calendar.chinese().minutes_a_day} working minutes, on the days "
        "that the legal calendar makes working days, make-up days (调休) among them. "
        "[working-time.md](../explanation/working-time.md) explains the arithmetic.",
        "## Which row applies",
        "Of the rows of the track that are in force on the day, the most specific wins: the nearest category (the leaf before "
        "its branch), then a row that names the urgency, then one that names the kind. For an urgent case a row that "
        "names `urgent` comes before everything, also before a category of its own. A table without a row for some "
        "kind is refused when the city is loaded.",
        "## Which track applies",
        table(("track", "when"), (
            (code("ordinary"), "every case as it is registered"),
            (code("complex"), "a case of a category that allows it, once an extension was granted for it"),
            (code("reopened"), "a case that was reopened: new clocks for contact and resolving, two hours to sign"),
        )),
        "## Clocks",
        table(("clock", "starts", "is met by", "ends without being met"), (
            (code("first_contact"), "at registration; at reopening", "a recorded contact that reached the reporter, or the reply",
             "the case ends otherwise"),
            (code("resolve"), "at registration; at reopening; for an assisting unit when it joins", "the reply; for an assisting "
             "unit its opinion", "the case ends otherwise; the assisting part ends"),
            (code("sign_for"), "at dispatch, for each unit", "signing", "a return, a redispatch or the end of the case"),
        )),
        "A redispatch or an upheld return gives no new time to resolve: only signing starts anew. Correcting the category "
        "before the reply can move a due time earlier, never later. A reply that is sent back runs on towards the due time it "
        "had. An imported case keeps the target its own system had promised.",
    )
