"""docs/reference/permissions.md: asked of the policy itself, with actors and cases made for the question."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

from django.urls import get_resolver
from django.utils.translation import override

from lianxin.cases import ledger, policy
from lianxin.cases.catalogue import rights
from lianxin.cases.models import OPEN_STATES, Assignment, AssignmentRole, Case, CatalogueProposal, State
from lianxin.cases.reference import Place
from lianxin.cases.states import TABLE, Holder, Transition
from lianxin.desk.boards import ALL, BOARDS
from lianxin.organisations.actors import SYSTEM, Actor, Grant, Kind, reporter_for
from lianxin.organisations.models import Role, UnitKind
from lianxin.organisations.scopes import known

from .markdown import code, codes, page, table
from .states import states_in_words

HOTLINE, LEAD, ASSISTING, ELSEWHERE, COUNTY_GOVERNMENT = 1, 2, 3, 4, 5
COUNTY, OTHER_COUNTY = 10, 20
PERSON, CASE = 7, uuid.UUID(int=7)
STAFF_ROLES = tuple(Role)


def _actor(role: Role, unit: int, kind: UnitKind, *, county: int | None = None, area: int | None = None) -> Actor:
    return Actor(Kind.STAFF, staff_id=PERSON, unit_id=unit, grants=(Grant(role, unit, kind, county, area),))


def _case(state: State, *, confidential: bool = False, registered_by: int | None = None) -> Case:
    return Case(id=CASE, state=state.value, unit_ids=[LEAD, ASSISTING], county_id=COUNTY, confidential=confidential,
                registered_by_id=registered_by)


def _assignment(unit: int) -> Assignment:
    role = AssignmentRole.LEAD if unit == LEAD else AssignmentRole.ASSIST
    return Assignment(unit_id=unit, role=role.value)


def _may(actor: Actor, row: Transition, unit: int | None = None) -> bool:
    """Whether the policy allows the action in any of its states on a case of the actor's own."""
    if row.makes_case:
        return bool(policy.can_register(actor))
    return any(
        policy.can(actor, row.action, _case(state, registered_by=PERSON), assignment=_assignment(unit) if unit else None)
        for state in row.sources
    )


def may(row: Transition, role: Role) -> str:
    """What the matrix says for one role: nothing, a mark, or for clerks which unit's, for grid workers which case."""
    if role is Role.GRID_WORKER and not row.makes_case:
        which = (("own report or check", {Holder.GRID}), ("given by name", {Holder.LEAD, Holder.ASSIST}))
        return ", ".join(name for name, holders in which if role in row.roles and row.holders & holders)
    if role is not Role.CLERK:
        return "●" if _may(_actor(role, HOTLINE, UnitKind.HOTLINE), row) else ""
    if row.makes_case:
        return "●" if _may(_actor(role, LEAD, UnitKind.CITY_DEPARTMENT), row) else ""
    units = [
        name for name, unit in (("lead", LEAD), ("assisting", ASSISTING))
        if _may(_actor(role, unit, UnitKind.CITY_DEPARTMENT), row, unit)
    ]
    return ", ".join(units)


def _matrix() -> str:
    head = ("action", "", *(role.value.replace("_", " ") for role in STAFF_ROLES), "reporter", "system")
    rows = [
        (
            code(row.action), row.label, *(may(row, role) for role in STAFF_ROLES),
            "●" if _may(reporter_for(CASE), row) else "", "●" if _may(SYSTEM, row) else "",
        )
        for row in TABLE
    ]
    return table(head, rows)


def _scope_in_words(actor: Actor) -> str:
    scope = policy.scope_of(actor)
    if scope.everything:
        return "every case"
    parts = []
    if scope.unit_ids:
        parts.append("cases in which the unit has or had a part")
    if scope.county_ids:
        parts.append("cases in the county")
    if scope.worker_id is not None:
        parts.append("cases this person reported, was given by name or is asked to look at")
    if scope.case_id is not None:
        parts.append("the one case")
    return " and ".join(parts) or "no case"


def _people() -> Iterator[tuple[str, str, Actor]]:
    for role in STAFF_ROLES:
        yield role.value, "the hotline", _actor(role, HOTLINE, UnitKind.HOTLINE)
        if role in policy.HOTLINE_ROLES:
            yield role.value, "the hotline, narrowed to a county", _actor(role, HOTLINE, UnitKind.HOTLINE, area=COUNTY)
            yield role.value, "a county's government or bureau", _actor(
                role, COUNTY_GOVERNMENT, UnitKind.COUNTY_GOVERNMENT, county=COUNTY)
        if role is Role.CLERK:
            yield role.value, "a city department, bureau, town or utility", _actor(role, LEAD, UnitKind.CITY_DEPARTMENT)
            yield role.value, "a county government", _actor(
                role, COUNTY_GOVERNMENT, UnitKind.COUNTY_GOVERNMENT, county=COUNTY)


def _identity() -> str:
    rows = []
    for role in STAFF_ROLES:
        unit, kind = (LEAD, UnitKind.CITY_DEPARTMENT) if role in (Role.CLERK, Role.GRID_WORKER) else (HOTLINE, UnitKind.HOTLINE)
        actor = _actor(role, unit, kind)

        def reads(state: State, confidential: bool, who: Actor = actor) -> bool:
            part = _assignment(LEAD)
            part.officer_id = PERSON  # a grid worker handles what was given to them by name
            return bool(policy.can_read_identity(who, _case(state, confidential=confidential, registered_by=PERSON), [part]))

        found = [state for state in State if reads(state, False)]
        secret = [state for state in State if reads(state, True)]
        rows.append((role.value.replace("_", " "), states_in_words(found, nothing="never"),
                     states_in_words(secret, nothing="never")))
    return table(("role", "while the case is", "if the reporter asked for confidence"), rows)


def _catalogue() -> str:
    """Who proposes a change of the dispatch catalogue, decides one, and restores a version."""
    asked = CatalogueProposal(proposed_by_id=PERSON + 1)
    county = Place(COUNTY, "", "", "", "county", (COUNTY,), COUNTY)
    rows = []
    for role, unit, actor in _people():
        marks = [bool(decision) for decision in (
            rights.can_propose(actor, None), rights.can_propose(actor, county), rights.can_decide(actor, asked),
            rights.can_restore(actor))]
        if any(marks):
            rows.append((role.replace("_", " "), unit, *("●" if mark else "" for mark in marks)))
    return table(("role", "held in", "proposes for the city", "proposes for its county", "decides", "restores"), rows)


def _scopes() -> str:
    """What a token may be narrowed to, in both languages of the desk."""
    _ = get_resolver().url_patterns  # every part has named its scopes then
    with override("en"):
        english = known()
    with override("zh-hans"):
        return table(("scope", "opens", "on the desk"), ((code(scope), english[scope], label) for scope, label in known().items()))


def render() -> str:
    seen = table(("role", "held in", "sees"), ((role.replace("_", " "), unit, _scope_in_words(actor))
                                               for role, unit, actor in _people() if not (role == "clerk" and unit == "the hotline")))
    boards = table(
        ("list", "", "roles"),
        ((code(board.code), board.title, ", ".join(role.value.replace("_", " ") for role in Role if role in board.roles))
         for board in (*(b for b in BOARDS if b is not ALL), ALL)),
    )
    roles = table(("role", ""), ((code(role.value), role.label) for role in Role))
    return page(
        "Permissions", "src/lianxin/cases/policy.py, by asking it",
        "Rights are role × unit × area. A person holds a role in one unit, perhaps narrowed to one area, and may hold "
        "several. One rule gives both the filter of a list and the check of a single case. A case outside what one may see "
        "is answered as if it were not there.",
        "## Roles", roles, "## What each role sees", seen,
        "A reporter sees the one case that their tracking code opens, its public events and its public words only.",
        "## What each role may do",
        "`●` may do it on the cases they see; for clerks, *lead* and *assisting* say as which unit. Reviewers and callers "
        "never act on a case in which their own unit has or had a part, and nobody reviews their own reply. The state of the "
        "case must allow the action too: see [states.md](states.md).",
        _matrix(),
        "## Who may read the reporter's identity",
        "Only those who handle the case now – a grid worker what was given to them by name – and each reading is written down "
        "first: who, when, why, which fields.",
        _identity(),
        f"No role reads it once the case is ended. {codes(state.value for state in OPEN_STATES)} are the open states.",
        "## Lists on the desk", boards,
        "Supervisors and dispatchers also have the overview (总览); administrators have staff (人员) and tokens (接口令牌) and "
        "see no cases.",
        "## Returns and the dispatch catalogue",
        "The ledger of returns is read by "
        + ", ".join(role.value.replace("_", " ") for role in Role if role in ledger.ROLES)
        + ": the city's, a county's or their own unit's entries, as they see cases. The catalogue's versions and proposals "
        "are read by everyone but grid workers. What of them a role may do, city-wide and for a county:",
        _catalogue(),
        "Nobody decides a proposal of their own.",
        "## API tokens",
        "A token acts as one member of staff in one unit, so it never reaches further than that person's grants there. Its "
        "scopes narrow it to what is named here; `*` means all that the person may do. See [api.md](api.md).",
        _scopes(),
    )
