"""docs/reference/states.md: the table of transitions as a diagram and as two tables."""

from __future__ import annotations

from collections.abc import Iterable

from lianxin.cases.actions import register
from lianxin.cases.models import OPEN_STATES, TERMINAL, State
from lianxin.cases.states import TABLE, Holder, Transition
from lianxin.organisations.models import Role

from .actions import functions
from .markdown import code, codes, page, sentence, table

# Actions of the system that no function takes: their rows are written by hand.
BY_HAND = {
    "close_imported": "历史导入归档: the case had ended in the system it was imported from.",
    "anonymise": "到期匿名: retention has ended; identity, words, files and messages are emptied, the events stay.",
}
_HOLDERS = {
    Holder.HOTLINE: "hotline", Holder.LEAD: "lead unit", Holder.ASSIST: "assisting unit", Holder.REPORTER: "reporter",
    Holder.SYSTEM: "system", Holder.PARTNER: "the other service's desk",
}
STATE_MEANINGS = {
    State.REGISTERED: "Written down; the hotline has not yet decided whether it is a matter for it.",
    State.ACCEPTED: "A matter for the hotline, with a category; no unit has it (yet, or again after a return).",
    State.DISPATCHED: "Given to a lead unit that has not signed for it.",
    State.IN_HAND: "The lead unit has signed and works on it.",
    State.OBJECTED: "The lead unit has returned it; the hotline owes a ruling.",
    State.REPLIED: "The lead unit has answered; the hotline checks the answer before the reporter sees it.",
    State.CALLBACK: "The reporter has the answer; the hotline asks whether it is true and whether it helped.",
    State.MERGED: "Handled together with a master case about the same matter; its own clocks run on.",
    State.HANDED_OVER: "Another service (110, 119, 120 …) has taken it; the hotline owes the reporter what comes of it.",
    State.CLOSED: "Ended, with an outcome that the record allows.",
    State.DECLINED: "Not a matter for the hotline; the lawful route was named.",
    State.WITHDRAWN: "The reporter took it back.",
}


def _open_but(named: set[State]) -> list[str] | None:
    """The one or two open states that are missing; None when something else is meant."""
    left = sorted(state.value for state in set(OPEN_STATES) - named)
    return left if named <= set(OPEN_STATES) and 0 < len(left) <= 2 else None


def states_in_words(states: Iterable[State], *, nothing: str) -> str:
    """`any open state` rather than seven names."""
    named = set(states)
    if not named:
        return nothing
    if named == set(State):
        return "any state"
    if named == set(OPEN_STATES):
        return "any open state"
    if named == set(TERMINAL):
        return "any ended state"
    if (fewer := _open_but(named)) is not None:
        return "any open state but " + codes(fewer)
    left = set(State) - named
    if len(left) <= 2:
        return "any state but " + codes(sorted(state.value for state in left))
    return codes(state.value for state in State if state in named)


def who(row: Transition) -> str:
    """Roles, and on whose behalf."""
    staff = {Holder.HOTLINE, Holder.LEAD, Holder.ASSIST} & row.holders
    people = ", ".join(role.value.replace("_", " ") for role in Role if role in row.roles)
    if len(row.roles) >= len(Role) - 1:
        people = "anyone who handles it"
    units = " or ".join(_HOLDERS[holder] for holder in (Holder.LEAD, Holder.ASSIST) if holder in row.holders)
    parts = []
    if people and staff:
        parts.append(f"{people} ({units})" if staff <= {Holder.LEAD, Holder.ASSIST} else people)
    parts += [_HOLDERS[holder] for holder in (Holder.REPORTER, Holder.PARTNER, Holder.SYSTEM) if holder in row.holders]
    return "; ".join(parts)


def explained(action: str) -> str:
    """What an action does, in the words of its own function."""
    return BY_HAND[action] if action in BY_HAND else sentence({"register": register, **functions()}[action])


# The way of a case that nothing comes between.
MAIN = ("register", "accept", "dispatch", "sign", "reply", "approve", "close")


def _edges(row: Transition) -> Iterable[tuple[str, str]]:
    """Arrows of one row. What any open state allows leaves one node that stands for them all."""
    sources = ["[*]"] if row.makes_case else [state.value for state in row.sources]
    if set(row.sources) == set(OPEN_STATES):
        sources = [ANY_OPEN]
    elif (fewer := _open_but(set(row.sources))) is not None:
        sources = ["_but_".join((ANY_OPEN, *fewer))]
    return ((source, target.value) for target in row.targets for source in sources)


ANY_OPEN = "open"


def diagram(rows: Iterable[Transition], *, across: bool = False) -> str:
    """A Mermaid state diagram of some rows; actions between the same two states share an arrow."""
    arrows: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        for edge in _edges(row):
            arrows.setdefault(edge, []).append(f"{row.label} {row.action}")
    named = {name for edge in arrows for name in edge}
    lines = ["stateDiagram-v2", *(["  direction LR"] if across else [])]
    lines += [f'  state "{state.label} {state.value}" as {state.value}' for state in State if state.value in named]
    for name in sorted(name for name in named if name.partition("_but_")[0] == ANY_OPEN):
        fewer = name.split("_but_")[1:]
        lines.append(f'  state "any open state{" but " if fewer else ""}{" and ".join(fewer)}" as {name}')
    lines += [f"  {a} --> {b}: {', '.join(labels)}" for (a, b), labels in arrows.items()]
    return "```mermaid\n" + "\n".join(lines) + "\n```"


def diagrams() -> str:
    """Three pictures of the table: the straight way, the ways back, the early ends."""
    moving = [row for row in TABLE if row.targets]
    straight = [row for row in moving if row.action in MAIN]
    back = [row for row in moving if row.action not in MAIN and not set(row.targets) & set(TERMINAL)]
    ends = [row for row in moving if row.action not in MAIN and set(row.targets) & set(TERMINAL)]
    return "\n\n".join((
        "The straight way:", diagram(straight),
        "Back, and to another unit:", diagram(back),
        "Early ends:", diagram(ends, across=True),
    ))


def render() -> str:
    states = table(
        ("state", "", "meaning"), ((code(state.value), state.label, STATE_MEANINGS[state]) for state in State)
    )
    rows = table(
        ("action", "", "from", "to", "who", "required", "optional", "reporter sees it", "sent to them", "checks version", "key"),
        (
            (
                code(row.action), row.label, states_in_words(row.sources, nothing="– (makes the case)"),
                codes(state.value for state in row.targets) or "stays", who(row), codes(row.requires),
                codes(row.optional), "yes" if row.public else "", "yes" if row.announces else "",
                "yes" if row.bumps else "", code(row.key),
            )
            for row in TABLE
        ),
    )
    meanings = table(("action", "what it does"), ((code(row.action), explained(row.action)) for row in TABLE))
    return page(
        "States and actions", "src/lianxin/cases/states.py",
        "The life of a case is one table. The buttons on a case page, the actions of the API, the permissions and this page "
        "are made from it, and the engine refuses what it does not hold.",
        "## States", states, "## Diagrams",
        "Actions that leave the state as it is are not drawn; they are in the table below.", diagrams(),
        "## Actions",
        "*Who* names the roles; which cases a role reaches is in [permissions.md](permissions.md). *Checks version*: a person "
        "who acts on an older version of the case is first shown what changed, and keeps what they typed. *Key* is the "
        "letter on the button. Required fields that are empty are all named in one answer.",
        rows, "## What each action does", meanings,
        "The words that go with an action are kept apart from the event that records it: see [events.md](events.md).",
    )
