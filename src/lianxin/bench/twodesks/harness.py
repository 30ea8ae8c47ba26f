"""The run: two desks, a bad line between them, processes of both killed at random, and people on both sides at work."""

from __future__ import annotations

import base64
import random
import secrets
import socket
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
from django.conf import settings

from lianxin.cases.models import Category
from lianxin.linkage import signing
from lianxin.linkage.models import Direction, Handover, Mapping, Outgoing, Partner, Term, TermList, What
from lianxin.linkage.states import UNDECIDED

from .compare import Verdict, compare, our_side, their_side
from .hands import OPEN, WORKS
from .programs import Program, desk, live, python, running, web

THEM = "110.bench"
LOST, DOUBLED, DELAYED = 0.2, 0.05, 0.05
AUTO = "accept=0.7,refuse=0.2,negotiate=0.1,follow_up=0.15,pace=0"
WORDS = {TermList.REFUSAL: ("not_police", "duplicate", "elsewhere", "insufficient", "other"),
         TermList.RESULT: ("settled", "mediated", "case_filed", "not_found", "handed_on", "no_action", "other")}
RETRY = {"LIANXIN_LINKAGE_RETRY_MILLISECONDS": "250"}  # as the other desk
LONGEST = 7200.0  # seconds for everything; a run that does not come to rest by then is a fault
QUIET = 3  # looks at both sides that find nothing under way
BREATH = 0.5  # seconds between two looks at how far both sides are: who looks without a pause takes a core from the desks


def free_ports(count: int) -> list[int]:
    probes = [socket.socket() for _each in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [int(probe.getsockname()[1]) for probe in probes]
    for probe in probes:
        probe.close()
    return ports


@dataclass(slots=True)
class Done:
    """What a run came to. `seconds` from the first offer to rest; `messages` as the line counted them."""

    verdict: Verdict
    seconds: float
    messages: dict[str, int]
    killed: dict[str, int] = field(default_factory=dict)


def connect(url: str, secret: str) -> Partner:
    """The other desk as a partner, with the tables of words that two linked desks have filled in."""
    for kind, codes in WORDS.items():
        for place, code in enumerate(codes):
            Term.objects.get_or_create(list=kind, code=code, defaults={"name": code, "position": place})
    partner, _made = Partner.objects.update_or_create(code=THEM, defaults={
        "name": "110", "kind": "police", "service": "110", "url": url, "emergencies": True})
    signing.add_secret(partner, secret)
    words = [(kind.value, code) for kind, codes in WORDS.items() for code in codes]
    words += [(What.CATEGORY.value, code) for code in Category.objects.filter(is_leaf=True).values_list("code", flat=True)]
    Mapping.objects.bulk_create(
        [Mapping(partner=partner, what=what, inbound=inbound, ours=code, theirs=code) for what, code in words for inbound in (False, True)],
        ignore_conflicts=True)
    return partner


@dataclass(slots=True)
class Callers:
    """Who calls the other desk with what is the hotline's: offers made there, some asked back at once. Each is made once,
    however often the desk is killed while it is made. While the hotline owes an answer to `OPEN` of them, nobody makes another."""

    url: str
    count: int
    chance: random.Random
    made: int = 0
    key: str = ""

    def go_on(self, most: int) -> None:
        """As many more as are to come, at most `most`."""
        for _each in range(min(most, self.count - self.made)):
            self.key = self.key or str(uuid.UUID(int=self.chance.getrandbits(128), version=4))
            handover = str(uuid.uuid5(uuid.NAMESPACE_OID, self.key))
            said = {"words": f"楼下音响太吵（{self.made}）。", "category": "噪声扰民", "place": "花板桥社区",
                    "basis": self.chance.choice(["clear", "unclear"])}
            if not self._post("/api/offers", {"matter": self.key, "handover": handover, **said}):
                return
            if self.chance.random() < 0.1:
                self._post(f"/api/handovers/{handover}/withdraw", {"reason": "报警人取消"})
            self.made, self.key = self.made + 1, ""

    def _post(self, path: str, body: dict[str, Any]) -> bool:
        try:
            return requests.post(self.url + path, json=body, timeout=10).status_code < 500
        except requests.RequestException:
            return False


@dataclass(slots=True)
class Stage:
    """Both desks with all their processes, and where each is reached."""

    programs: dict[str, Program]
    our_url: str
    their_url: str
    line_url: str

    def figures(self) -> dict[str, Any]:
        """The other desk's counts; empty while it is down."""
        try:
            found: dict[str, Any] = requests.get(self.their_url + "/api/figures", timeout=10).json()
        except (requests.RequestException, ValueError):
            return {}
        return found

    def room(self) -> int:
        """How many offers more the hotline's people could still decide about soon; none while the other desk is down."""
        said = self.figures()
        return max(0, OPEN - sum(said["handovers"]["out"].get(state.value, 0) for state in UNDECIDED)) if said else 0

    def at_rest(self, want_out: int) -> bool:
        """Nothing is under way on either side, and everything was offered that was to be."""
        open_here = [state.value for state in UNDECIDED]
        if Handover.objects.filter(direction=Direction.OUT).exclude(basis="followup").count() < want_out:
            return False
        if Handover.objects.filter(state__in=open_here).exists() or Outgoing.objects.exclude(state__in=["sent", "dead"]).exists():
            return False
        there = self.figures()
        if not there or there["waiting"]:
            return False
        under_way = ("accepted", "in_progress", "outcome_returned", *open_here)
        return not any(there["handovers"]["in"].get(state) for state in under_way) and not any(
            there["handovers"]["out"].get(state) for state in open_here)


@contextmanager
def stage(*, offers: int = 0, seed: int = 0, lossy: bool = True, workers: int = 2) -> Iterator[Stage]:
    """Two desks that are connected. Without `lossy` the line is good, nobody works by himself, and pages hear of news."""
    ours, theirs, out, back, news = free_ports(5)
    secret = "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode()
    if not lossy:
        out, back = theirs, ours
    connect(f"http://127.0.0.1:{out}", secret)
    with tempfile.TemporaryDirectory(prefix="lianxin-desk-") as data:
        programs = {
            "web": web(ours, workers=workers), "deliver": Program("deliver", python("lianxin", "linkage", "deliver"), RETRY),
            "desk": desk(theirs, data=Path(data), ours=settings.LIANXIN_LINKAGE_NAME, theirs=THEM, our_url=f"http://127.0.0.1:{back}",
                         secret=secret, auto=AUTO if lossy else ""),
        }
        if lossy:
            line = python("lianxin.bench.lossy", str(seed), str(LOST), str(DOUBLED), str(DELAYED), f"{out}={theirs}", f"{back}={ours}")
            programs["line"] = Program("line", line, ready=f"http://127.0.0.1:{out}/lossy")
            for work in WORKS:
                programs[work] = Program(work, python("lianxin.bench.twodesks.hands", THEM, str(offers), work))
        else:
            programs["live"] = live(news)
            programs["web"].environment["LIANXIN_LIVE_URL"] = f"http://127.0.0.1:{news}"
        with running(programs):
            yield Stage(programs, f"http://127.0.0.1:{ours}", f"http://127.0.0.1:{theirs}", f"http://127.0.0.1:{out}")


def run(*, handovers: int, seed: int, crashes: int, tell: Callable[[str], None], workers: int = 2) -> Done:
    """Half of `handovers` are offered from each side, what is handed back comes on top; at `crashes` moments, drawn over the whole
    run, one process of one of the desks is killed.

    Raises RuntimeError when both sides do not come to rest.
    """
    chance = random.Random(seed)
    ours = handovers // 2
    with stage(offers=ours, seed=seed, workers=workers) as desks:
        callers = Callers(desks.their_url, handovers - ours, chance)
        began = told = time.monotonic()
        victims = [desks.programs[name] for name in ("web", "deliver", "desk", *WORKS)]
        order = (one for _round in range(crashes) for one in chance.sample(victims, len(victims)))  # each in every round
        moments = sorted((chance.random() for _each in range(crashes)), reverse=True)
        quiet = 0
        while quiet < QUIET:
            now = time.monotonic()
            if now > began + LONGEST:
                raise RuntimeError(f"not at rest after {LONGEST:.0f} s: {desks.figures()}")
            callers.go_on(min(25, desks.room()))
            made = callers.made + min(ours, Handover.objects.filter(direction=Direction.OUT).exclude(basis="followup").count())
            if moments and made >= moments[-1] * handovers:
                moments.pop()
                next(order).crash()
            for program in desks.programs.values():
                program.heal()
            if now > told + 15:
                tell(f"{Handover.objects.count():,} handovers so far")
                told = now
            time.sleep(BREATH)
            quiet = quiet + 1 if made >= handovers and not moments and desks.at_rest(ours) else 0
        seconds = time.monotonic() - began
        for work in WORKS:
            desks.programs[work].clear()
        messages: dict[str, int] = {}
        with suppress(requests.RequestException):
            messages = requests.get(desks.line_url + "/lossy", timeout=10).json()
        verdict = compare(our_side(), their_side(desks.their_url), us=settings.LIANXIN_LINKAGE_NAME, them=THEM)
        return Done(verdict, seconds, messages, {program.name: program.killed for program in victims})
