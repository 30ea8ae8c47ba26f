"""Who acts at the other desk: a person who is asked, a command that is run, or the control interface of a training desk."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import requests

from .findings import Failed, Untried

# What is asked of a person, by what is to be done. `{reference}` is the number under which the kit's offer shows.
ASKED = {
    "acknowledge": "open the offer {reference}, so that it counts as seen",
    "accept": "accept the offer {reference}",
    "refuse": "refuse the offer {reference}, with any reason",
    "negotiate": "write down for the offer {reference} that you talked it over and it is unclear whose it is",
    "progress": "report of {reference} that somebody was dispatched",
    "outcome": "report how {reference} ended, with nothing left to do",
    "outcome_followup": "report how {reference} ended, and that something is left for the other desk to do",
    "offer": "offer a new matter to the kit's desk",
    "withdraw": "withdraw the offer {reference} that you made just now",
    "close": "take note of the outcome of {reference}",
}


class Hands(Protocol):
    """Somebody at the other desk."""

    def do(self, what: str, *, handover: str, reference: str, **fields: Any) -> None:
        """Take one step there. Returns when it was taken or asked for; raises Untried when nobody is there."""


class Nobody:
    """Checks that need a person are not made."""

    def do(self, what: str, *, handover: str, reference: str, **fields: Any) -> None:
        raise Untried("nobody is at the other desk: run again with --ask or --hands")


@dataclass(slots=True)
class Asking:
    """A person reads what to do."""

    tell: Callable[[str], None]

    def do(self, what: str, *, handover: str, reference: str, **fields: Any) -> None:
        if fields.get("follow_up"):
            what = "outcome_followup"
        self.tell("  please " + ASKED[what].format(reference=reference or handover))


@dataclass(slots=True)
class Running:
    """A command of the vendor's: it gets one JSON object on standard input, `{"do": …, "handover": …, "reference": …, …}`."""

    command: str

    def do(self, what: str, *, handover: str, reference: str, **fields: Any) -> None:
        said = json.dumps({"do": what, "handover": handover, "reference": reference, **fields}, ensure_ascii=False)
        done = subprocess.run(self.command, shell=True, input=said, text=True, capture_output=True, timeout=60, check=False)
        if done.returncode:
            raise Untried(f"the command of --hands ended with {done.returncode} for {what}: {done.stderr.strip()[:300]}")


# What the training desk's own interface takes, by what is to be done.
TAKEN = {
    "acknowledge": (), "accept": ("note",), "refuse": ("reason", "words", "defaulted"), "withdraw": ("reason",), "close": ("told",),
    "negotiate": ("words", "spoke_with", "three_way", "agreed"), "progress": ("step", "words"), "supplement": ("words",),
    "outcome": ("result", "words", "public_words", "follow_up", "follow_up_words"),
    "offer": ("words", "place", "category", "basis", "reason", "mode", "emergency", "wish"),
}


@dataclass(slots=True)
class Controlling:
    """`lianxin-110-desk`, which a program on the same machine may work as its people would."""

    url: str

    def do(self, what: str, *, handover: str, reference: str, **fields: Any) -> None:
        path = "/api/offers" if what == "offer" else f"/api/handovers/{handover}/{what}"
        body = {name: value for name, value in fields.items() if name in TAKEN[what]} | {"operator": "P1"}
        reply = requests.post(self.url.rstrip("/") + path, json=body, timeout=30)
        if reply.status_code in (401, 403):
            raise Untried(f"the desk at {self.url} cannot be worked by this program: {reply.text[:200]}")
        if reply.status_code >= 400:
            raise Failed(f"the desk could not {what}: {reply.status_code} {reply.text[:300]}")
