"""The adapter's commands against a double on a socket: what they do there, and that nobody waits for one that does not come."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable

import pytest

from lianxin.telephony.commands import SwitchFault
from lianxin.telephony.switches.ami import Address, checked
from lianxin.telephony.switches.asterisk import AsteriskSwitch, who
from lianxin.telephony.switches.double import Faults

from .switching import Hall, adapter, hall, until

ALL: dict[str, Callable[[AsteriskSwitch, str], None]] = {
    "ring": lambda switch, call: switch.ring("8001", "110"),
    "transfer": lambda switch, call: switch.transfer(call, "110", extension="8001"),
    "consult": lambda switch, call: switch.consult(call, "110", extension="8001"),
    "conference": lambda switch, call: switch.conference(call, "110", extension="8001"),
    "hold": lambda switch, call: switch.hold(call, extension="8001"),
    "resume": lambda switch, call: switch.resume(call, extension="8001"),
    "hang_up": lambda switch, call: switch.hang_up(call, extension="8001"),
    "available": lambda switch, call: switch.available("8001", False, reason="meal"),
}


@pytest.mark.parametrize(("channel", "said"), [
    ("PJSIP/8001-0000002a", "8001"), ("PJSIP/8001", "8001"), ("SIP/trunk-110-0000002a", "trunk-110"),
    ("Local/110@lianxin-out-00000003;1", "110"), ("Local/8001@agents/n", "8001"), ("Local/8001@agents", "8001"), ("", ""), ("8001", ""),
])
def test_who_a_channel_stands_for(channel: str, said: str) -> None:
    assert who(channel) == said


def test_an_address_and_what_is_none() -> None:
    assert Address.parse("ami://li:a%40b@pbx.example:5039") == Address("pbx.example", 5039, "li", "a@b")
    assert Address.parse("amis://li:x@[::1]").tls is True
    assert Address.parse("ami://li:x@pbx").port == 5038
    for wrong in ("", "http://li:x@pbx", "ami://pbx", "ami://li:x@pbx:99999", "ami://li:x@"):
        with pytest.raises(ValueError, match="use ami://") as told:
            Address.parse(wrong)
        assert "x@" not in str(told.value)
    assert "geheim" not in repr(Address("pbx", 1, "li", "geheim"))


def test_nobody_smuggles_an_action_into_a_field() -> None:
    with pytest.raises(ValueError, match="Exten"):
        checked({"Action": "Originate", "Exten": "110\r\n\r\nAction: Command"})
    with hall() as there, adapter(there) as switch:
        call = there.talking()
        with pytest.raises(SwitchFault):
            switch.conference(call, "110\r\nApplication: System", extension="8001")
        assert not there.said("ConfbridgeJoin")


def test_a_conference_brings_caller_agent_and_110_into_one_room() -> None:
    with hall() as there, adapter(there) as switch:
        call = there.talking()
        switch.conference(call, "110", extension="8001")
        assert until(lambda: len(there.do(lambda double: double.room(call))) == 3)
        assert sorted(one.who for one in there.do(lambda double: double.room(call))) == ["110", "8001", "trunk"]
        # A fourth comes into the same room, and nobody is moved twice.
        switch.conference(call, "120", extension="8001")
        assert until(lambda: len(there.do(lambda double: double.room(call))) == 4)
        assert len(there.said("ConfbridgeJoin")) == 4
        # The agent leaves; the others go on.
        switch.hang_up(call, extension="8001")
        assert until(lambda: len(there.do(lambda double: double.room(call))) == 3)
        assert there.do(lambda double: call in double.channels)


def test_a_refused_move_hangs_the_third_up_and_leaves_the_two_talking() -> None:
    with hall() as there, adapter(there) as switch:
        call = there.talking()
        there.double.faults.refuses = frozenset({"Redirect"})
        with pytest.raises(SwitchFault, match="Permission denied"):
            switch.conference(call, "110", extension="8001")
        assert until(lambda: len(there.do(lambda double: double.channels)) == 2)
        caller = there.do(lambda double: double.channels[call])
        assert caller.bridge == there.do(lambda double: double.at("8001")).bridge != ""  # type: ignore[union-attr]


def test_a_transfer_hands_the_caller_over() -> None:
    with hall() as there, adapter(there) as switch:
        call = there.talking()
        switch.transfer(call, "120", extension="8001")
        assert there.do(lambda double: double.at("8001")) is None
        assert until(lambda: there.do(lambda double: double.channels[call].bridge))
        assert there.said("BlindTransfer")[0]["Extension"] == "120"
        with pytest.raises(SwitchFault, match="not there"):
            switch.hang_up(call, extension="8001")


def test_hold_and_resume_are_asked_of_the_telephone() -> None:
    with hall() as there, adapter(there) as switch:
        call = there.talking()
        switch.hold(call, extension="8001")
        assert until(lambda: there.said("Hold"))
        switch.resume(call, extension="8001")
        assert until(lambda: there.said("Unhold"))


def test_ring_calls_the_agents_telephone_first() -> None:
    with hall() as there, adapter(there) as switch:
        there.do(lambda double: double.member("8001"))
        switch.ring("8001", "119")
        assert until(lambda: sum(bool(one.bridge) for one in there.do(lambda double: list(double.channels.values()))) == 2)
        with pytest.raises(SwitchFault, match="does not exist"):
            switch.ring("8999", "119")


def test_the_queue_rings_those_who_are_available() -> None:
    with hall() as there, adapter(there) as switch:
        switch.available("8001", True)
        assert there.double.members["8001"].paused is False
        switch.available("8001", False, reason="meal")
        assert (there.double.members["8001"].paused, there.double.members["8001"].reason) == (True, "meal")


@pytest.mark.parametrize("name", ALL)
def test_a_command_for_a_call_that_is_over_says_so(name: str) -> None:
    with hall() as there, adapter(there) as switch:
        call = there.talking()
        there.do(lambda double: double.hang_up(double.channels[call]))
        if name in ("ring", "available"):
            ALL[name](switch, call)
        else:
            with pytest.raises(SwitchFault, match="not there any more"):
                ALL[name](switch, call)


BAD: dict[str, Callable[[Hall], None]] = {
    "deaf": lambda there: setattr(there.double, "faults", Faults(deaf=True)),
    "slow": lambda there: setattr(there.double, "faults", Faults(slow=3)),
    "cuts": lambda there: setattr(there.double, "faults", Faults(leaves_after=0)),
    "gone": lambda there: there.wait(there.server.stop()),
}


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("fault", BAD)
def test_nobody_waits_longer_than_they_said(fault: str, name: str) -> None:
    with hall() as there, adapter(there, within=0.3) as switch:
        call = there.talking()
        switch.available("8001", False)  # the connection stands
        BAD[fault](there)
        began = time.monotonic()
        with pytest.raises(SwitchFault):
            ALL[name](switch, call)
        assert time.monotonic() - began < 0.6  # 0.3, and what two busy cores add


def test_half_lines_and_half_characters_are_read_whole() -> None:
    with hall() as there, adapter(there) as switch:
        there.double.faults.pieces = 3
        call = there.talking(number="13800002201")
        switch.hold(call, extension="8001")
        assert until(lambda: there.said("Hold"))


def test_it_comes_back_by_itself_and_sends_nothing_late() -> None:
    with hall() as there, adapter(there, within=0.3) as switch:
        call = there.talking()
        switch.hold(call, extension="8001")
        there.wait(there.server.stop())
        with pytest.raises(SwitchFault):
            switch.conference(call, "110", extension="8001")
        there.wait(there.server.start())
        until(lambda: _works(lambda: switch.resume(call, extension="8001")), 10)
        time.sleep(0.3)
        assert not there.said("ConfbridgeJoin")  # the emergency of a while ago is not put through now


def _works(command: Callable[[], None]) -> bool:
    try:
        command()
    except SwitchFault:
        return False
    return True


def test_a_wrong_secret_is_not_tried_over_and_over() -> None:
    with hall() as there, adapter(there, within=0.4, address=Address("127.0.0.1", there.server.port, "lianxin", "wrong")) as switch:
        logins: list[object] = []
        serve = there.server._client

        async def counted(reader: object, writer: object) -> None:
            logins.append(reader)
            await serve(reader, writer)  # type: ignore[arg-type]

        there.wait(there.server.stop())
        there.server._client = counted  # type: ignore[method-assign]
        there.wait(there.server.start())
        for _again in range(4):
            with pytest.raises(SwitchFault, match=r"Authentication failed|no answer"):
                switch.available("8001", True)
        assert len(logins) <= 2
        assert there.double.members == {}


def test_what_is_no_telephone_system_is_down() -> None:
    with socket.create_server(("127.0.0.1", 0)) as web, hall() as there:
        threading.Thread(target=_talk_nonsense, args=(web,), daemon=True).start()
        with adapter(there, within=0.3, address=Address("127.0.0.1", web.getsockname()[1], "a", "b")) as switch, pytest.raises(SwitchFault):
            switch.available("8001", True)


def _talk_nonsense(web: socket.socket) -> None:
    try:
        client, _from = web.accept()
        with client:
            client.sendall(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
    except OSError:
        pass


def test_many_threads_command_at_once() -> None:
    with hall() as there, adapter(there, within=3.0) as switch:
        faults: list[BaseException] = []

        def pause(number: int) -> None:
            try:
                switch.available(f"80{number:02}", bool(number % 2))
            except BaseException as error:
                faults.append(error)

        threads = [threading.Thread(target=pause, args=(number,)) for number in range(40)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        assert faults == []
        assert {one.extension: one.paused for one in there.double.members.values()} == {f"80{n:02}": not n % 2 for n in range(40)}
