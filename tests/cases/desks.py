"""The desk of another service as the cases see it: somebody to offer to, and nothing behind it. What is said to it is tried in
tests/linkage."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from lianxin.cases import actions as a
from lianxin.cases import handing_over
from lianxin.cases.engine import Done, On, Step
from lianxin.organisations.actors import Actor, partner_for

CODE, NAME, NAME_EN = "110.test", "试验市110", "Test City 110"
offered: list[handing_over.Offer] = []
withdrawn: list[str] = []
written: list[tuple[str, uuid.UUID]] = []


def _partners() -> list[tuple[str, str]]:
    from lianxin.kernel.language import named

    return [(CODE, named(NAME, NAME_EN)), ("120.test", named("试验市120", "Test City 120"))]


def _hold(step: Step) -> None:
    """What the link keeps of who has it: the database wants the two to agree at the end of a transaction."""
    from lianxin.linkage.models import Matter, Partner

    if step.row.action == "release_handover":
        partner, _made = Partner.objects.get_or_create(code=CODE, defaults={"name": NAME, "name_en": NAME_EN, "kind": "police"})
        Matter.objects.update_or_create(case=step.case, partner=partner, defaults={"holder": "them", "first_receiver": "us"})
    elif step.row.action in ("take_back_handover", "close_handover"):
        Matter.objects.filter(case=step.case).update(holder="us")


def _moved(step: Step) -> None:
    _hold(step)
    written.append((step.row.action, handing_over.matter_of(step)))


@contextmanager
def other_desk() -> Iterator[None]:
    """Stands in for whatever is hung into the cases' lists."""
    lists: tuple[tuple[list[Any], Any], ...] = (
        (handing_over.PARTNERS, _partners), (handing_over.OFFERS, lambda _step, offer: offered.append(offer)),
        (handing_over.WITHDRAWALS, lambda _step, why: withdrawn.append(why)), (handing_over.MOVES, _moved),
    )
    kept = [list(held) for held, _stand_in in lists]
    for held, stand_in in lists:
        held[:] = [stand_in]
    try:
        yield
    finally:
        for (held, _stand_in), before in zip(lists, kept, strict=True):
            held[:] = before


def desk(case_id: uuid.UUID, code: str = CODE) -> Actor:
    return partner_for(case_id, code=code, name=NAME)


# The steps of the link: what it says with each.
LINK: dict[str, dict[str, Any]] = {
    "note_handover": {"step": "negotiating", "data": {"partner": CODE, "three_way": True}, "words": "三方通话，还没有定。"},
    "tell_handover": {"step": "on_scene", "data": {"partner": CODE, "reference": "JQ-7"}, "words": "双方情绪稳定。"},
    "release_handover": {"data": {"partner": CODE, "reference": "JQ-7"}, "words": "值班员老周接的。"},
    "take_back_handover": {"data": {"partner": CODE}, "words": "打架已平息，噪声问题请热线办。", "category": "010102"},
    "close_handover": {"data": {"partner": CODE, "result": "mediated"}, "words": "当事人 A 已训诫。",
                       "public_words": "民警到场调解，双方和解。"},
}


def link(case_id: uuid.UUID, action: str, *, by: Actor | None = None, **fields: Any) -> Done:
    """One step of the link, by the other desk unless somebody is named."""
    with other_desk():
        done: Done = getattr(a, action)(On(case_id, by or desk(case_id)), **(LINK[action] | fields))
    return done
