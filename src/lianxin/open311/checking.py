"""Whether an Open311 endpoint keeps the specification: asked over HTTP, of ours or anybody's.

`rules.RULES` are the questions; each is tried by itself, and what cannot be tried (no key, nothing posted yet) is said to be.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

import requests
from defusedxml import ElementTree

from .formats import ITEMS

TIMEOUT: Final = 20  # seconds
SPECIFICATION: Final = "http://wiki.open311.org/GeoReport_v2/"


class Verdict(StrEnum):
    KEPT = "kept"
    BROKEN = "broken"
    UNTRIED = "not tried"


class Broken(Exception):
    """The rule is not kept; the message says what was found."""


class Untried(Exception):
    """The rule cannot be tried here; the message says why."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: status, headers by their lower-case names, body."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        try:
            return json.loads(self.body)
        except ValueError:
            raise Broken("the answer is no JSON") from None

    def xml(self) -> Any:
        try:
            return ElementTree.fromstring(self.body)
        except ElementTree.ParseError:
            raise Broken("the answer is no XML") from None


Send = Callable[[str, str, dict[str, Any]], Answer]


def over_http(root: str) -> Send:
    """Sends to an endpoint: method, path, and `params`, `data`, `files` or `headers` as requests takes them."""
    session = requests.Session()

    def send(method: str, path: str, more: dict[str, Any]) -> Answer:
        got = session.request(method, f"{root.rstrip('/')}/{path}", timeout=TIMEOUT, allow_redirects=False, **more)
        return Answer(got.status_code, {name.lower(): value for name, value in got.headers.items()}, got.content)

    return send


@dataclass(slots=True)
class Session:
    """One examination: how to reach the endpoint, the key, where a request may be posted to, and what was learnt on the way."""

    send: Send
    key: str = ""
    post: bool = False
    place: dict[str, str] = field(default_factory=lambda: {"address_string": "Open311 conformance check"})
    jurisdiction: str = ""
    known: dict[str, Any] = field(default_factory=dict)

    def get(self, path: str, **params: Any) -> Answer:
        if self.jurisdiction:
            params.setdefault("jurisdiction_id", self.jurisdiction)
        return self.send("GET", path, {"params": params})

    def form(self, path: str, fields: dict[str, Any], **more: Any) -> Answer:
        if self.jurisdiction:
            fields = {"jurisdiction_id": self.jurisdiction} | fields
        return self.send("POST", path, {"data": fields, **more})

    def listed(self, path: str, **params: Any) -> list[Any]:
        """The array that an address answers with in JSON. Raises Broken for anything else."""
        answer = self.get(path, **params)
        if answer.status != 200:
            raise Broken(f"{path}: status {answer.status}")
        found = answer.json()
        if not isinstance(found, list):
            raise Broken(f"{path}: no array")
        return found

    def once(self, name: str, make: Callable[[], Any]) -> Any:
        """What was learnt before, else now."""
        if name not in self.known:
            self.known[name] = make()
        return self.known[name]

    @property
    def services(self) -> list[dict[str, Any]]:
        return list(self.once("services", lambda: self.listed("services.json")))

    @property
    def requests(self) -> list[dict[str, Any]]:
        return list(self.once("requests", lambda: self.listed("requests.json")))


def spark(element: Any) -> Any:
    """An XML element as JSON by the Spark convention, every value as text: lists by the names that the specification gives them."""
    if element.tag in ITEMS:
        return [spark(inner) for inner in element]
    if len(element):
        return {inner.tag: spark(inner) for inner in element}
    return element.text or ""


def as_text(value: Any) -> Any:
    """JSON with every value as XML would write it, to be compared with `spark`."""
    if isinstance(value, dict):
        return {name: as_text(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [as_text(inner) for inner in value]
    return {None: "", True: "true", False: "false"}[value] if value is None or isinstance(value, bool) else str(value)


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: its name, where the specification has it, what it says, and the function that tries it."""

    name: str
    section: str
    words: str
    trial: Callable[[Session], None]


@dataclass(frozen=True, slots=True)
class Finding:
    rule: Rule
    verdict: Verdict
    note: str = ""


def examine(session: Session, rules: Iterable[Rule]) -> list[Finding]:
    """Try every rule. An endpoint that does not answer breaks the rule that was being tried."""
    found = []
    for rule in rules:
        try:
            rule.trial(session)
        except Broken as said:
            found.append(Finding(rule, Verdict.BROKEN, str(said)))
        except Untried as said:
            found.append(Finding(rule, Verdict.UNTRIED, str(said)))
        except requests.RequestException as error:
            found.append(Finding(rule, Verdict.BROKEN, f"no answer: {type(error).__name__}"))
        except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
            found.append(Finding(rule, Verdict.BROKEN, f"the answer has another shape: {type(error).__name__} {error}"))
        else:
            found.append(Finding(rule, Verdict.KEPT))
    return found


def summary(found: list[Finding]) -> str:
    counts = {verdict: sum(one.verdict is verdict for one in found) for verdict in Verdict}
    return ", ".join(f"{count} {verdict}" for verdict, count in counts.items())


def as_markdown(found: list[Finding]) -> str:
    """The findings as a table for the reference."""
    lines = ["| rule | section | what it says | result |", "|---|---|---|---|"]
    lines += [f"| `{one.rule.name}` | {one.rule.section} | {one.rule.words} | {one.verdict}{f': {one.note}' if one.note else ''} |"
              for one in found]
    return "\n".join([*lines, "", f"{len(found)} rules: {summary(found)}.", ""])


def as_lines(found: list[Finding]) -> str:
    """The findings for a terminal, what is broken with its reason."""
    width = max(len(one.rule.name) for one in found)
    return "\n".join([*(f"{one.verdict:<9} {one.rule.name:<{width}}  {one.note or one.rule.words}" for one in found), "", summary(found)])
