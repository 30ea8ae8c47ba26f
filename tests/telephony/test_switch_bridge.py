"""The bridge against a double on a socket: what is kept of what happened, whatever the line does."""

from __future__ import annotations

import asyncio

import pytest

from lianxin.telephony.switches.asterisk import room_of
from lianxin.telephony.switches.double import Double, Faults
from lianxin.telephony.switches.double_ami import Server
from tests.loops import run

from .switching import SECRET, Kept, bridged, soon

CALLER = "13800002201"


def answered(double: Double, extension: str = "8001") -> str:
    double.member(extension).paused = False
    caller = double.call_in(CALLER)
    assert double.pick_up(extension)
    return caller.uniqueid


async def a_day(double: Double, _server: Server, kept: Kept) -> None:
    """A call with everything in it, one that nobody waits for, one that rings in vain."""
    call = answered(double)
    double.hold("8001", True)
    await asyncio.sleep(0.002)
    double.hold("8001", False)
    caller, agent = double.channels[call], double.at("8001")
    assert agent is not None
    double.dial("110", lambda leg: double.enter_room(leg, room_of(call)), name="Local/110@lianxin-out-{};1")
    double.enter_room(caller, room_of(call))
    double.enter_room(agent, room_of(call))
    await soon(lambda: len(double.room(call)) == 3)
    double.hang_up(agent)
    await asyncio.sleep(0.002)
    double.hang_up(caller)
    double.member("8001").paused = True
    gone = double.call_in("")
    await asyncio.sleep(0.002)
    double.hang_up(gone)
    await soon(lambda: {"ended", "abandoned"} <= set(kept.kinds()))


ALL_OF_IT = ["queued", "ringing", "answered", "recording", "held", "resumed", "conferenced", "transferred", "ended"]


def test_a_call_is_told_as_it_went() -> None:
    kept = run(bridged(a_day))
    call = kept.told[0].call
    assert kept.kinds(call) == ALL_OF_IT
    by_kind = {one.kind: one for one in kept.told if one.call == call}
    assert (by_kind["queued"].number, by_kind["queued"].queue) == (CALLER, "hotline")
    assert by_kind["ringing"].extension == by_kind["answered"].extension == by_kind["held"].extension == "8001"
    assert by_kind["conferenced"].to == "110"
    assert (by_kind["transferred"].extension, by_kind["transferred"].to) == ("8001", "110")
    assert by_kind["recording"].recording == f"{call}.wav"
    moments = [one.at for one in kept.told if one.call == call]
    assert moments == sorted(moments)
    other = next(one for one in kept.told if one.call != call)
    assert kept.kinds(other.call) == ["queued", "abandoned"]
    assert other.number == ""  # withheld
    assert len({one.id for one in kept.told}) == len(kept.told)
    assert all(len(one.id) <= 64 and len(one.call) <= 64 for one in kept.told)


@pytest.mark.parametrize("fault", [
    Faults(doubled=True), Faults(pieces=2), Faults(doubled=True, pieces=7), Faults(unstamped=True),
])
def test_doubled_news_and_half_lines_change_nothing(fault: Faults) -> None:
    async def scene(double: Double, server: Server, kept: Kept) -> None:
        double.faults = fault
        await a_day(double, server, kept)

    kept = run(bridged(scene))
    assert kept.kinds(kept.told[0].call) == ALL_OF_IT
    assert (kept.again > 0) is (fault.doubled and not fault.unstamped)


def test_news_in_the_wrong_order_all_arrive_with_their_times() -> None:
    """The store puts events in the order of their times: what is needed is that none is missing and each has its time."""
    async def scene(double: Double, _server: Server, kept: Kept) -> None:
        double.member("8001").paused = False
        call = double.call_in(CALLER).uniqueid
        await soon(lambda: kept.kinds(call) == ["queued", "ringing"])
        double.faults = Faults(backwards=True)
        double.pick_up("8001")  # leave and connect, the recording and the hold, change places
        await asyncio.sleep(0.002)
        double.hold("8001", True)
        await asyncio.sleep(0.002)
        double.hold("8001", False)
        await asyncio.sleep(0.002)
        double.hang_up(double.channels[call])
        await soon(lambda: {"ended", "resumed"} <= set(kept.kinds()))  # the hanging up may be told before the resuming

    kept = run(bridged(scene))
    assert sorted(kept.kinds()) == sorted(["queued", "ringing", "answered", "recording", "held", "resumed", "ended"])
    assert kept.kinds() != [one.kind for one in sorted(kept.told, key=lambda one: one.at)]
    assert [one.kind for one in sorted(kept.told, key=lambda one: one.at)] == [
        "queued", "ringing", "answered", "recording", "held", "resumed", "ended"]


def test_a_telephone_that_rings_in_vain_puts_the_caller_back() -> None:
    async def scene(double: Double, _server: Server, kept: Kept) -> None:
        double.member("8001").paused = double.member("8002").paused = False
        call = double.call_in(CALLER).uniqueid
        await soon(lambda: double.at("8002") is not None)
        double.pick_up("8002")
        double.hang_up(double.channels[call])
        await soon(lambda: "ended" in kept.kinds())

    kept = run(bridged(scene, rings=0.05))
    assert kept.kinds() == ["queued", "ringing", "queued", "ringing", "answered", "recording", "ended"]
    assert [one.extension for one in kept.told if one.kind == "ringing"] == ["8001", "8002"]


def test_a_recording_that_begins_before_the_queue_counts_from_the_answer() -> None:
    async def scene(double: Double, _server: Server, kept: Kept) -> None:
        early = {"Uniqueid": "c.1", "Linkedid": "c.1"}
        double.tell("UserEvent", early, UserEvent="LianxinRecording", Recording="early.wav")
        double.tell("UserEvent", early, UserEvent="SomethingElse", Recording="other.wav")
        double.tell("QueueCallerJoin", early, Queue="hotline", CallerIDNum=CALLER)
        await asyncio.sleep(0.002)
        double.tell("AgentConnect", early, {"DestUniqueid": "c.2", "DestChannel": "PJSIP/8001-00000001"}, Queue="hotline")
        await soon(lambda: "recording" in kept.kinds())

    kept = run(bridged(scene))
    assert [(one.kind, one.recording, one.extension) for one in kept.told] == [
        ("queued", "", ""), ("answered", "", "8001"), ("recording", "early.wav", "")]
    assert kept.told[2].at == kept.told[1].at


def test_who_leaves_the_queue_for_nobody_was_missed() -> None:
    async def scene(double: Double, _server: Server, kept: Kept) -> None:
        caller = double.call_in(CALLER)
        double.waiting.remove(caller.uniqueid)  # the dialplan's time is over, and it says goodbye
        double.tell("QueueCallerLeave", caller.told(), Queue="hotline")
        double.hang_up(caller)
        await soon(lambda: "missed" in kept.kinds())

    assert run(bridged(scene)).kinds() == ["queued", "missed"]


def test_only_the_hotlines_calls_are_told_of() -> None:
    async def scene(double: Double, _server: Server, kept: Kept) -> None:
        double.members["8001"] = double.member("8001")
        double.dial("110", lambda leg: None, name="PJSIP/8001-{}")  # an agent's own call
        other = double.call_in("13900000000", queue="sales")
        double.hang_up(other)
        call = double.call_in(CALLER)
        double.hang_up(call)
        await soon(lambda: "abandoned" in kept.kinds())

    kept = run(bridged(scene, queues=("hotline",)))
    assert {one.number for one in kept.told} == {CALLER}


def test_a_broken_line_is_mended_and_nothing_is_told_twice() -> None:
    async def scene(double: Double, server: Server, kept: Kept) -> None:
        call = answered(double)
        waiting = double.call_in("13900000001")
        await soon(lambda: len(kept.told) == 5)
        for _time in range(3):
            server.cut()
            await soon(lambda: server.sessions)
            await asyncio.sleep(0.1)
        double.hold("8001", True)
        double.hang_up(double.channels[call])
        double.hang_up(waiting)
        await soon(lambda: {"ended", "abandoned"} <= set(kept.kinds()))

    kept = run(bridged(scene))
    assert sorted(kept.kinds()) == sorted(
        ["queued", "ringing", "answered", "recording", "queued", "held", "ended", "ringing", "abandoned"])
    assert kept.again > 0  # it did ask again, and it was the same


def test_what_happened_while_the_line_was_down_is_told_afterwards() -> None:
    async def scene(double: Double, server: Server, kept: Kept) -> None:
        first = answered(double)
        second = double.call_in("13900000001").uniqueid
        await soon(lambda: len(kept.told) == 5)
        await server.stop()
        double.hang_up(double.channels[first])  # 8001 is free: the second rings there and is answered
        double.pick_up("8001")
        third = double.call_in("13900000002").uniqueid
        await server.start()
        await soon(lambda: "ended" in kept.kinds(first) and "answered" in kept.kinds(second) and kept.kinds(third) == ["queued"])
        double.hang_up(double.channels[second])
        await soon(lambda: "ended" in kept.kinds(second))

    kept = run(bridged(scene))
    answers = [one for one in kept.told if one.kind == "answered"]
    assert [one.extension for one in answers] == ["8001", "8001"]


def test_events_are_taken_while_commands_run_and_the_database_is_away() -> None:
    async def scene(double: Double, _server: Server, kept: Kept) -> None:
        kept.away = True
        call = answered(double)
        double.hang_up(double.channels[call])
        await asyncio.sleep(0.1)
        assert kept.told == []
        kept.away = False
        await soon(lambda: "ended" in kept.kinds(call))

    kept = run(bridged(scene))
    assert kept.kinds() == ["queued", "ringing", "answered", "recording", "ended"]


def test_a_wrong_secret_is_said_and_the_bridge_goes_on() -> None:
    said: list[str] = []

    async def scene(_double: Double, server: Server, kept: Kept) -> None:
        await soon(lambda: any("Authentication failed" in word for word in said))
        server.users["lianxin"] = "wrong"  # somebody sets it right
        await soon(lambda: any(word.startswith("connected") for word in said))

    run(bridged(scene, secret="wrong", said=said))
    assert len(said) == 2  # once each, not at every try
    assert SECRET not in "".join(said)
    assert "wrong" not in "".join(said)


def test_the_queue_is_told_who_is_ready_when_the_line_comes_back() -> None:
    keeper = Kept()
    keeper.sitting = [("8001", True, ""), ("8002", False, "meal")]

    async def scene(double: Double, _server: Server, _kept: Kept) -> None:
        await soon(lambda: set(double.members) == {"8001", "8002"})
        assert (double.members["8001"].paused, double.members["8002"].paused) == (False, True)
        assert double.members["8002"].reason == "meal"

    run(bridged(scene, keeper=keeper))


class Odd(Kept):
    """A keeper with a fault of its own."""

    def keep(self, told: object) -> None:
        if told.kind == "ringing":  # type: ignore[attr-defined]
            raise RuntimeError("a fault")
        super().keep(told)  # type: ignore[arg-type]


def test_one_event_that_cannot_be_kept_costs_no_other() -> None:
    async def scene(double: Double, _server: Server, kept: Kept) -> None:
        double.tell("QueueCallerJoin", {"Uniqueid": "x.1", "Linkedid": "x.1"}, Queue="hotline", Timestamp="not a number")
        call = answered(double)
        double.hang_up(double.channels[call])
        await soon(lambda: "ended" in kept.kinds(call))

    kept = run(bridged(scene, keeper=Odd()))
    assert kept.kinds() == ["queued", "queued", "answered", "recording", "ended"]  # the first is that of no known moment


def test_ids_say_what_happened_and_not_when_it_was_heard() -> None:
    """Two bridges side by side keep the same events."""
    keepers = (Kept(), Kept())

    async def scene(double: Double, server: Server, kept: Kept) -> None:
        from lianxin.telephony.switches.ami import Address
        from lianxin.telephony.switches.bridge import Bridge

        said: list[str] = []
        other = asyncio.create_task(Bridge(Address("127.0.0.1", server.port, "lianxin", SECRET), keepers[1], said=said.append).run())
        await soon(lambda: said)
        await asyncio.sleep(0.05)
        await a_day(double, server, kept)
        await soon(lambda: len(keepers[1].told) == len(kept.told))
        other.cancel()
        await asyncio.gather(other, return_exceptions=True)

    run(bridged(scene, keeper=keepers[0]))
    assert keepers[0].told == keepers[1].told


