"""Nothing lies about unused, and every form asks for what its action needs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.template.loader import get_template

import lianxin
from lianxin.cases.states import TABLE, Holder
from lianxin.desk import menu, urls
from lianxin.desk.boards import BOARDS
from lianxin.desk.forms import FORMS
from lianxin.desk.views.boards import EVERY_ACTION

PACKAGE = Path(lianxin.__file__).parent
TEMPLATES = sorted((PACKAGE / "desk" / "templates" / "desk").glob("*.html")) + sorted(
    (PACKAGE / "faces" / "templates" / "faces").glob("*.html"))
SOURCE = "\n".join(path.read_text("utf-8") for path in PACKAGE.rglob("*")
                   if path.suffix in (".py", ".html", ".js") and "locale" not in path.parts)
# Actions that are not done with a form of their own at the desk, and where they are done.
ELSEWHERE = {
    "register": "the call screen", "rate": "the portal", "attach": "the case page's upload",
    "close_imported": "the import", "anonymise": "the nightly job",
    # What passes between the two desks: steps of the link, done when a message is sent or comes in.
    **dict.fromkeys(("note_handover", "tell_handover", "release_handover", "take_back_handover", "close_handover"), "the linkage pages"),
}
# A list makes its rows' second address from the first, so that fifty rows cost fifty look-ups, not a hundred.
DERIVED = {
    "pane": 'data-preview="{{ line.address }}pane/"',
    "call_pop": "../calls/${call}/pop/",  # of a call that the page hears of when it rings
}
# Fields that have a value without being asked: the engine takes now.
OF_THEMSELVES = {
    ("offer_handover", "emergency"),  # the basis says it
    ("record_contact", "contacted_at"),
    ("settle_on_the_spot", "attachments"), ("answer_check", "attachments"),  # files go beside the form
    ("answer_check", "lon"), ("answer_check", "lat"),  # only a telephone knows where it is
}


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_every_template_parses_and_is_used(path: Path) -> None:
    name = f"{path.parent.name}/{path.name}"
    get_template(name)
    assert re.search(rf"""["']{re.escape(name)}["']""", SOURCE), f"nothing uses {name}"


@pytest.mark.parametrize("name", [str(pattern.name) for pattern in urls.urlpatterns])
def test_every_address_is_reached_from_somewhere(name: str) -> None:
    if name in DERIVED:
        assert DERIVED[name] in SOURCE
        return
    if any(name == entry.pages[0] for entry in (*menu.FIRST, *menu.REST)):
        return
    assert re.search(rf"""["']desk:{name}["']""", SOURCE), f"nothing leads to desk:{name}"


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.action)
def test_every_action_has_a_form_that_asks_for_what_it_requires(row: object) -> None:
    action, requires, optional = row.action, row.requires, row.optional  # type: ignore[attr-defined]
    if action in ELSEWHERE or row.holders == {Holder.SYSTEM}:  # type: ignore[attr-defined]
        assert action not in FORMS
        return
    fields = FORMS[action].base_fields
    wanted = {name for name in (*requires, *optional) if (action, name) not in OF_THEMSELVES}
    dropped = {"note"} if action == "redispatch" else set()
    assert wanted <= set(fields)
    assert set(fields) - wanted <= dropped | {name for act, name in OF_THEMSELVES if act == action}
    asked = {name for name in requires if (action, name) not in OF_THEMSELVES}
    assert {name for name in asked if not fields[name].required} == set()


def test_forms_act_through_real_actions_only() -> None:
    assert set(FORMS) <= set(EVERY_ACTION)
    assert all(action in EVERY_ACTION for board in BOARDS for action in board.bulk)


def test_letter_keys_do_not_collide_in_any_state() -> None:
    taken = {"j", "k", "f", "y", "z", "/", "?", ".", " "}
    for state in {state for row in TABLE for state in row.sources}:
        keys = [row.key for row in TABLE if row.key and row.leads_from(state)]
        assert len(keys) == len(set(keys)), state
        assert not taken & set(keys), state


@pytest.mark.parametrize("script", sorted((PACKAGE / "desk" / "static" / "desk").glob("*.js")), ids=lambda path: path.name)
def test_every_script_is_loaded(script: Path) -> None:
    assert f"desk/{script.name}" in SOURCE


def test_style_and_script_stand_in_files_of_their_own() -> None:
    for path in TEMPLATES:
        text = path.read_text("utf-8")
        assert not re.search(r"<script(?![^>]*\bsrc=)[^>]*>", text), path.name
        assert " style=" not in text, path.name
        assert not re.search(r"\son[a-z]+=", text), path.name
