"""Clocks of handovers, keys, the commands, and two desks compared with each other."""

from __future__ import annotations

import io
import json
import re
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from lianxin.cases import actions as a
from lianxin.cases.models import Case, Event
from lianxin.kernel.clock import Frozen, now
from lianxin.kernel.errors import Conflict, Invalid, NotFound
from lianxin.linkage import clocks, reconciling, signing
from lianxin.linkage.clocks import Swept, sweep
from lianxin.linkage.delivering import drain
from lianxin.linkage.models import Handover, HandoverStep, Matter, Outgoing, Partner, PartnerSecret
from tests.world import World

from .desk import OtherDesk, matter_with, say, serving
from .peer import SECRET, Peer, partner

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(world: World, monday: Frozen) -> Partner:
    return partner()


def offered(world: World, desk: Partner, **more: Any) -> Handover:
    case_id = world.accepted()
    a.offer_handover(world.on(case_id, "dispatcher"), **{"partner": desk.code, "reason": "有人打架", **more})
    return Handover.objects.select_related("matter").get(matter__case_id=case_id)


# ── Clocks ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_offer_nobody_acknowledges_raises_one_alarm(world: World, desk: Partner, monday: Frozen) -> None:
    handover = offered(world, desk, emergency=True)
    assert handover.due_at == now() + timedelta(seconds=30)
    assert sweep(now() + timedelta(seconds=29)) == Swept()
    monday.move(seconds=31)
    assert sweep(now()) == Swept(alarms=1)
    assert sweep(now()) == Swept()
    step = HandoverStep.objects.get(handover=handover, kind="late")
    assert (step.by, step.from_state, step.to_state) == ("clock", "offered", "offered")
    event = Event.objects.filter(case_id=handover.matter.case_id, action="note_handover").latest("id")
    assert (event.data["step"], event.data["handover"]) == ("late", str(handover.pk))
    handover.refresh_from_db()
    assert (handover.state, handover.alarmed_at) == ("offered", now())
    assert Case.objects.get(pk=handover.matter.case_id).linkage == "offered"  # nothing was taken back by itself


def test_the_next_state_has_a_clock_of_its_own(world: World, desk: Partner, monday: Frozen) -> None:
    handover = offered(world, desk)
    monday.move(minutes=16)
    sweep(now())
    Peer.of(handover).say("acknowledge", handover.pk)
    handover.refresh_from_db()
    assert handover.alarmed_at is None
    assert handover.due_at is not None
    assert handover.due_at > now()


def test_still_unclear_when_the_time_is_up_the_first_receiver_has_it(desk: Partner, monday: Frozen) -> None:
    """They asked, they were turned to first, and nobody could agree: it stays with them, by our system's word."""
    peer = Peer(desk)
    key = peer.offer(basis="unclear")
    peer.say("negotiate", key, words="说不清是谁的")
    monday.move(hours=2)
    assert sweep(now()) == Swept(decided=1)
    assert Handover.objects.get(pk=key).state == "defaulted"
    kind, body = peer.heard()[-1]
    assert (kind, body["defaulted"]) == ("refuse", True)
    assert sweep(now()) == Swept()


def test_what_the_clock_cannot_decide_rings(desk: Partner, monday: Frozen, monkeypatch: pytest.MonkeyPatch) -> None:
    peer = Peer(desk)
    key = peer.offer(basis="unclear")
    peer.say("negotiate", key, words="说不清是谁的")
    monday.move(hours=2)

    def cannot(_pk: uuid.UUID) -> bool:
        raise Conflict

    monkeypatch.setattr(clocks.deciding, "by_clock", cannot)
    assert sweep(now()) == Swept(alarms=1)
    assert Handover.objects.get(pk=key).state == "negotiating"


# ── Keys ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_secret_is_kept_sealed_and_shown_once(desk: Partner) -> None:
    row, said = signing.add_secret(desk)
    assert said.startswith("whsec_")
    assert said.encode() not in bytes(row.secret)
    assert row.hint == said[-4:]
    assert signing.secrets_of(desk)[0] == said
    assert signing.add_secret(desk)[1] != said


@pytest.mark.parametrize("said", ["", "whsec_", "whsec_%%%", "whsec_c2hvcnQ=", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_" + "QUFB" * 100])
def test_what_is_no_secret_is_refused(desk: Partner, said: str) -> None:
    with pytest.raises(Invalid):
        signing.add_secret(desk, said)
    assert desk.secrets.count() == 1


def test_the_last_valid_secret_stays(desk: Partner, monday: Frozen) -> None:
    with pytest.raises(Conflict):
        signing.retire_secret(desk, SECRET[-4:])
    with pytest.raises(NotFound):
        signing.retire_secret(desk, "none")
    row, said = signing.add_secret(desk)
    ended = signing.retire_secret(desk, SECRET[-4:], after=timedelta(hours=24))
    assert ended.valid_to == now() + timedelta(hours=24)
    assert len(signing.secrets_of(desk)) == 2
    with pytest.raises(Conflict):  # the other one ends tomorrow
        signing.retire_secret(desk, str(row.pk))
    monday.move(hours=25)
    assert signing.secrets_of(desk) == [said]


# ── Commands ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def run(*words: str) -> str:
    out = io.StringIO()
    call_command("linkage", *words, stdout=out)
    return out.getvalue()


def test_a_partner_and_its_keys_by_command() -> None:
    with pytest.raises(CommandError):
        run("partner", "add", "110.hill")
    for wrong in (["110 hill", "--name", "x", "--kind", "police"], ["110.hill", "--name", "x", "--kind", "police", "--url", "ftp://x"]):
        with pytest.raises(CommandError):
            run("partner", "add", *wrong)
    assert not Partner.objects.exists()
    run("partner", "add", "110.hill", "--name", "山城110", "--kind", "police", "--url", "https://110.example", "--service", "110")
    run("partner", "add", "110.hill", "--phone", "0730-8800110")
    made = Partner.objects.get()
    assert (made.name, made.url, made.fallback_phone) == ("山城110", "https://110.example", "0730-8800110")
    with pytest.raises(CommandError):
        run("partner", "add", "911.hill", "--name", "y", "--kind", "police", "--service", "110")
    said = run("secret", "new", "110.hill").strip()
    assert signing.secrets_of(made) == [said]
    listed = run("secret", "list", "110.hill")
    assert said not in listed
    assert said[-4:] in listed
    assert str(PartnerSecret.objects.get().pk) in listed
    with pytest.raises(CommandError):
        run("secret", "retire", "110.hill", said[-4:])
    assert "110.hill" in run("partner", "list")
    with pytest.raises(CommandError, match=re.escape("110.hill")):  # it says which there are
        run("secret", "new", "119.hill")


def test_dead_letters_by_command() -> None:
    with serving() as other:
        there = partner(url=other.url)
        handover = matter_with(there)
        dead = say(handover)
        say(handover)
        other.replies.append((422, {"code": "invalid", "detail": "不行"}, {}))
        run("deliver", "--once")
        line = run("dead")
        assert str(dead.pk) in line
        assert "+1" in line
        assert "422 invalid 不行" in line
        for wrong in ("x", str(uuid.uuid4())):
            with pytest.raises(CommandError):
                run("resend", wrong)
        assert "2" in run("resend", "--partner", there.code)
        run("deliver", "--once")
        assert not Outgoing.objects.exclude(state="sent").exists()
        assert str(dead.pk) not in run("dead")


# ── Do both have it alike? ───────────────────────────────────────────────────────────────────────────────────────────────


def ponder(other: OtherDesk, *answers: dict[str, Any]) -> None:
    """The next requests are questions; these are what is answered."""
    waiting = list(answers)
    plain = other.reply

    def reply(heard: Any) -> Any:
        if heard.message["kind"] not in ("query", "ping"):
            return plain(heard)
        return 200, {"received": heard.message["id"], "status": "noted", "answer": waiting.pop(0)}, {}

    other.reply = reply  # type: ignore[method-assign]


def test_a_ping_is_timed_and_silence_is_said() -> None:
    with serving() as other:
        there = partner(url=other.url)
        ponder(other, {"pong": True}, {})
        assert there.code in run("ping", there.code)
        with pytest.raises(CommandError):
            run("ping", there.code)
    with pytest.raises(CommandError, match=r"Connection|timed|refused"):
        run("ping", there.code)


def test_two_desks_are_compared_matter_by_matter(settings: Any) -> None:
    us = settings.LIANXIN_LINKAGE_NAME
    with serving() as other:
        there = partner(url=other.url)
        alike, held_twice, lost, waiting = (matter_with(there) for _n in range(4))
        for one in (alike, lost):
            say(one)
        drain()
        say(waiting)
        same = {"holder": us, "term": 1, "state": "offered", "last_seq": 1}
        ponder(other, same, {**same, "holder": there.code, "term": 2, "state": "accepted", "last_seq": 0},
               {"holder": None, "term": 0, "state": None, "last_seq": 0}, {**same, "state": "negotiating", "last_seq": 0})
        found = {one.matter: one for one in reconciling.reconcile(there)}
        assert set(found) == {held_twice.matter_id, lost.matter_id, waiting.matter_id}
        assert found[held_twice.matter_id].faults == ("holder", "both", "term", "state")
        assert found[lost.matter_id].faults == ("unknown_there",)
        assert (found[waiting.matter_id].faults, found[waiting.matter_id].on_its_way) == (("state",), True)

        Matter.objects.exclude(pk=alike.matter_id).update(closed_at=now())
        ponder(other, same, {**same, "last_seq": 0}, {**same, "last_seq": 9})
        assert "—" not in run("reconcile", there.code)
        for fault in ("lost_there", "lost_here"):
            out = io.StringIO()
            with pytest.raises(CommandError):
                call_command("linkage", "reconcile", there.code, "--json", stdout=out)
            assert json.loads(out.getvalue().splitlines()[0])["faults"] == [fault]


def test_it_is_seen_that_nobody_holds_a_matter() -> None:
    ours = {"holder": "110.hill", "term": 2, "state": "accepted", "last_seq": 1}
    theirs = {"holder": "12345.hill", "term": 1, "state": "offered", "last_seq": 1}
    assert reconciling.faults_of(ours, theirs, us="12345.hill", sent_seq=1) == ("holder", "nobody", "term", "state")
