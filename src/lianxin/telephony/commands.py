"""What the desk tells the telephone system: ring, transfer, a third voice, hold, hang up, calls from the queue or none.

Which system that is, `LIANXIN_SWITCH` says; each adapter is a module of `switches` and answers `Switch`. Without one (`none`)
every command says that the agent's own telephone has to do it: nothing here is needed to take a call or to register a case.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as TookTooLong
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Protocol, cast

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from lianxin.kernel.errors import DomainError

from .models import LIVE, Agent, Call

log = logging.getLogger(__name__)
EMERGENCY_SECONDS = 0.3  # an operator with somebody in danger waits no longer for a machine
COMMAND_SECONDS = 3.0
SERVICES = ("110", "119", "120")


class SwitchFault(Exception):
    """The telephone system refused a command, or did not answer. The message is for logs, without numbers of people."""


class Switch(Protocol):
    """What an adapter can do. `call` is the telephone system's own name of a call (`Call.system_id`), `extension` an agent's,
    `to` an extension or a number to dial. Each returns when the system has taken the command, within `COMMAND_SECONDS`, or
    raises SwitchFault; called from several threads at once. What comes of a command arrives as events, like everything else."""

    def ring(self, extension: str, to: str) -> None:
        """Call `to` from an agent's extension: their telephone rings first."""
        ...

    def transfer(self, call: str, to: str, *, extension: str) -> None:
        """Hand the caller over to `to`; the agent is out of the call."""
        ...

    def conference(self, call: str, to: str, *, extension: str) -> None:
        """Bring `to` into the call: caller, agent and `to` hear one another."""
        ...

    def hold(self, call: str, *, extension: str) -> None: ...

    def resume(self, call: str, *, extension: str) -> None: ...

    def hang_up(self, call: str, *, extension: str) -> None:
        """End the agent's part; with nobody else in it the call ends."""
        ...

    def available(self, extension: str, on: bool, *, reason: str = "") -> None:
        """Whether the queues may ring this extension. `reason` is a `PauseReason` or `wrap_up`."""
        ...


# Adapters by the words of `LIANXIN_SWITCH`: module and factory, which takes nothing and reads its own settings.
ADAPTERS: dict[str, tuple[str, str] | None] = {
    "none": None,
    "asterisk": ("lianxin.telephony.switches.asterisk", "connect"),
    "double": ("lianxin.telephony.switches.double", "connect"),
}


@cache
def switch() -> Switch | None:
    """The adapter of this installation, made once per process; None when there is none."""
    named = ADAPTERS[settings.LIANXIN_SWITCH]
    if named is None:
        return None
    module, factory = named
    return cast("Switch", getattr(import_module(module), factory)())


class NoSwitch(DomainError):
    """There is no telephone system to command, or it did not do it: the agent's own telephone can."""

    status = 503
    default_code = "no_switch"
    default_message = _("电话系统没有照办，请用话机自己操作。")


@dataclass(frozen=True, slots=True)
class Commanded:
    """What came of a command. `how` is `conference` or `ring` when the system took it, else `dial`: dial yourself. `words` say
    it to the agent; `call` is the id of the call it was for, empty without one. `milliseconds` is how long it took."""

    done: bool
    how: str
    words: str | Promise
    call: str = ""
    milliseconds: int = 0


_pool = ThreadPoolExecutor(max_workers=8, thread_name_prefix="switch")
# In the order in which they were said, and never in the way of who waits for a command.
_aside = ThreadPoolExecutor(max_workers=1, thread_name_prefix="switch-aside")


def _within(seconds: float, command: Callable[[], None]) -> None:
    """Run a command in a thread of its own and wait `seconds` at most. Raises SwitchFault."""
    future: Future[None] = _pool.submit(command)
    try:
        future.result(timeout=seconds)
    except SwitchFault:
        raise
    except TookTooLong:
        future.cancel()  # one that still waits for a thread must not be sent when nobody expects it any more
        raise SwitchFault(f"no answer within {seconds} s") from None
    except Exception as error:
        raise SwitchFault(f"{type(error).__name__}") from error


def live_call(staff_id: int) -> Call | None:
    """The call that this person has on the telephone now. One query."""
    return (Call.objects.filter(agent__staff_id=staff_id, state__in=LIVE).select_related("agent")
            .order_by("-answered_at", "-id").first())


def emergency(staff_id: int, service: str) -> Commanded:
    """Bring 110, 119 or 120 into this agent's live call – or ring it from their extension when they have none. Never raises,
    and waits for the telephone system no longer than `EMERGENCY_SECONDS`: then it says to dial."""
    began = time.monotonic()
    call: Call | None = None
    dial = _("请马上用话机拨 %(service)s。") % {"service": service}

    def ended(done: bool, how: str, words: str | Promise) -> Commanded:
        return Commanded(done, how, words, str(call.pk) if call else "", int((time.monotonic() - began) * 1000))

    try:
        adapter = switch()
        if adapter is None or service not in SERVICES:
            return ended(False, "dial", dial)
        call = live_call(staff_id)
        if call is not None and call.agent is not None:
            name, extension = call.system_id, call.agent.extension
            _within(EMERGENCY_SECONDS, lambda: adapter.conference(name, service, extension=extension))
            return ended(True, "conference", _("正在把 %(service)s 接进通话。") % {"service": service})
        extension = Agent.objects.filter(staff_id=staff_id).values_list("extension", flat=True).first() or ""
        if not extension:
            return ended(False, "dial", dial)
        _within(EMERGENCY_SECONDS, lambda: adapter.ring(extension, service))
        return ended(True, "ring", _("正在从您的话机拨 %(service)s。") % {"service": service})
    except Exception as error:  # whatever it is, the agent must not wait for it
        log.warning("emergency command to %s failed: %s", service, error)
        return ended(False, "dial", dial)


def set_available(extension: str, on: bool, reason: str = "") -> None:
    """Tell the queues whether they may ring an extension; nobody waits for it. What is lost is set right when the bridge
    connects again."""
    try:
        adapter = switch()
    except Exception as error:
        log.warning("no telephone system to tell: %s", error)
        return
    if adapter is None or not extension:
        return

    def tell() -> None:
        try:
            adapter.available(extension, on, reason=reason)
        except Exception as error:
            log.warning("an extension could not be set available or not: %s", type(error).__name__)

    _aside.submit(tell)


def command(do: Callable[[Switch], None]) -> None:
    """Run one command of an agent's. Raises NoSwitch when there is no system, or it did not take the command in time."""
    adapter = switch()
    if adapter is None:
        raise NoSwitch(_("没有接电话系统，请用话机自己操作。"))
    try:
        _within(COMMAND_SECONDS, lambda: do(adapter))
    except SwitchFault as error:
        log.warning("the telephone system did not take a command: %s", error)
        raise NoSwitch() from error
