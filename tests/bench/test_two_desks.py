"""The comparison of two desks finds every way in which they may not agree."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lianxin.bench.linkage import rows_of
from lianxin.bench.twodesks.compare import KINDS, Offer, Side, compare
from lianxin.bench.twodesks.hands import share
from lianxin.bench.twodesks.harness import Done
from lianxin.kernel.ids import uuid7

US, THEM = "12345.a", "110.a"


def sides() -> tuple[Side, Side]:
    """Three matters: one that went over, one of theirs that was refused here, one of theirs that was taken."""
    ours, theirs = Side(), Side()
    for matter, holder, term, direction, state in (
            ("m1", THEM, 2, "out", "closed"), ("m2", THEM, 1, "in", "refused"), ("m3", US, 2, "in", "accepted")):
        for side, way in ((ours, direction), (theirs, "in" if direction == "out" else "out")):
            side.holder[matter], side.term[matter] = holder, term
            side.offers[matter] = {f"h-{matter}": Offer(way, state, "transfer")}
            side.sent[matter], side.received[matter] = (2, 3) if side is ours else (3, 2)
    ours.cases.update(m1=1, m3=1)
    return ours, theirs


def test_two_desks_that_agree() -> None:
    verdict = compare(*sides(), us=US, them=THEM)
    assert verdict.good, verdict.examples
    assert (verdict.handovers, verdict.matters) == (3, 3)
    assert dict(verdict.states) == {"closed": 1, "refused": 1, "accepted": 1}
    rows = rows_of(Done(verdict, 12.0, {"messages": 30, "lost_before": 3, "lost_after": 3}, {"web": 2}), 3)
    assert rows[1].met is True
    assert "0 lost · 0 doubled · 0 held by both · 0 held by neither" in rows[1].ours
    assert "30 messages, 6 lost" in rows[0].against


def put(**change: object) -> Callable[[Side, Side], None]:
    def spoil(ours: Side, theirs: Side) -> None:
        for name, value in change.items():
            side = ours if name.startswith("our") else theirs
            setattr(side, name.partition("_")[2], value)

    return spoil


def only_there(ours: Side, theirs: Side) -> None:
    del ours.offers["m1"]["h-m1"]


def never_heard_of(ours: Side, theirs: Side) -> None:
    for table in (theirs.holder, theirs.term, theirs.offers, theirs.sent, theirs.received):
        del table["m2"]


def another_state(ours: Side, theirs: Side) -> None:
    theirs.offers["m3"]["h-m3"] = Offer("out", "withdrawn", "transfer")


@pytest.mark.parametrize(("spoil", "kind"), [
    (only_there, "lost"), (never_heard_of, "lost"),
    (lambda ours, theirs: ours.cases.update(m3=-1), "lost"),
    (lambda ours, theirs: ours.cases.update(m3=1), "doubled"),
    (lambda ours, theirs: ours.cases.update(m2=1), "doubled"),
    (put(our_strays=1), "doubled"), (put(our_twice=["h-m1: accept 2 times"]), "doubled"),
    (lambda ours, theirs: ours.holder.update(m1=US), "held by both"),
    (lambda ours, theirs: theirs.holder.update(m2=US), "held by neither"),
    (lambda ours, theirs: theirs.term.update(m3=3), "told otherwise"),
    (lambda ours, theirs: ours.received.update(m1=2), "told otherwise"),
    (lambda ours, theirs: theirs.sent.update(m1=4), "told otherwise"),
    (another_state, "told otherwise"),
    (put(our_waiting=1), "not sent"), (put(their_waiting=2), "not sent"),
    (put(our_dead=1), "dead letters"), (put(their_dead=1), "dead letters"),
])
def test_every_disagreement_is_found(spoil: Callable[[Side, Side], None], kind: str) -> None:
    ours, theirs = sides()
    spoil(ours, theirs)
    verdict = compare(ours, theirs, us=US, them=THEM)
    assert kind in KINDS
    assert verdict.faults.keys() == {kind}, verdict.examples
    with pytest.raises(RuntimeError, match=kind):
        rows_of(Done(verdict, 1.0, {}, {}), 3)


def test_nothing_at_all_is_not_good() -> None:
    assert not compare(Side(), Side(), us=US, them=THEM).good


def test_a_share_is_drawn_from_the_id_and_evenly() -> None:
    shares = [share(uuid7()) for _each in range(3000)]
    assert all(0 <= one < 1 for one in shares)
    assert 0.08 < sum(one < 0.12 for one in shares) / len(shares) < 0.16
