"""The conformance kit: the training desk keeps every rule, and each check fails with a desk that breaks its rule and no other."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lianxin.linkage.checking.findings import CHECKS, GUIDE, Verdict
from lianxin.linkage.checking.hands import Asking, Controlling, Nobody, Running
from lianxin.linkage.checking.listener import Listener
from lianxin.linkage.checking.running import chosen, line, run, summary
from lianxin.linkage.checking.session import Session
from tests.demo.demos import free_port
from tests.docs.prose import ROOT, anchors
from tests.linkage.spoiler import Spoiler, serving

pytestmark = pytest.mark.slow
OURS, THEIRS = "12345.kit", "110.kit"
SECRETS = ["whsec_bWV0YS1zZWNyZXQtZm9yLXRoZS1leGFtcGxlcy0wMDE=", "whsec_bWV0YS1zZWNyZXQtZm9yLXRoZS1leGFtcGxlcy0wMDI="]
NAMES = [check.name for check in chosen([])]


@dataclass
class Bench:
    """A training desk, a spoiler before it, and the kit's own endpoint."""

    url: str
    desk: str
    listener: Listener
    spoiler: Spoiler

    def session(self, **more: Any) -> Session:
        return Session(self.url, OURS, THEIRS, more.pop("secrets", SECRETS), self.listener, more.pop("hands", Controlling(self.desk)),
                       **{"patience": 2.0, "by_hand": 2.5, **more})


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    spoiler, port = Spoiler(SECRETS[0]), free_port()
    with ExitStack() as stack:
        listener = stack.enter_context(Listener("127.0.0.1", 0, OURS, THEIRS, SECRETS))
        back = stack.enter_context(serving(spoiler.to_kit))
        desk = f"http://127.0.0.1:{port}"
        process = subprocess.Popen(
            [sys.executable, "-m", "lianxin_110_desk", "--data", str(tmp_path_factory.mktemp("desk")), "--port", str(port),
             "--name", THEIRS, "--peer", OURS, "--peer-url", back, "--secret", SECRETS[0], "--secret", SECRETS[1], "--no-browser"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        try:
            assert process.stdout is not None
            assert desk in process.stdout.readline()
            spoiler.desk, spoiler.kit = desk, f"http://127.0.0.1:{listener.port}"
            yield Bench(stack.enter_context(serving(spoiler.to_desk)), desk, listener, spoiler)
        finally:
            process.terminate()
            process.wait(15)


def test_the_training_desk_keeps_every_rule(bench: Bench) -> None:
    bench.spoiler.set()
    bench.listener.heard.clear()
    found = run(bench.session(by_hand=10.0, patience=10.0), chosen([]))
    assert [line(finding) for finding in found if finding.verdict is not Verdict.PASSED] == []
    assert len(found) == len(CHECKS) > 50


# ── One rule broken at a time ────────────────────────────────────────────────────────────────────────────────────────────

def taken(status: int, body: dict[str, Any], message: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """Everything is taken, whatever it is."""
    return 200, {"received": message.get("id"), "status": "applied", "answer": {"pong": True}}


def answered(status: int, **said: Any) -> Any:
    return lambda _status, body, _message: (status, {**body, **said})


def only(kinds: str, change: Any) -> Any:
    """A change of the answers to some kinds of messages."""
    return lambda status, body, message: change(status, body, message) if message.get("kind") in kinds.split() else (status, body)


def refused(status: int, body: dict[str, Any], _message: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    return 422, {"code": "invalid", "fields": {}}


def faults_taken(status: int, body: dict[str, Any], message: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    return taken(status, body, message) if status >= 400 else (status, body)


def querying(**wrong: Any) -> Any:
    """The answers to questions are wrong."""
    def change(status: int, body: dict[str, Any], message: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        return status, {**body, "answer": {**(body.get("answer") or {}), **wrong}}

    return only("query", change)


def sent(kind: str, **change: Any) -> Any:
    """Messages of a kind come with another term, handover, id, or body."""
    def coming(message: dict[str, Any]) -> list[dict[str, Any]]:
        if message["kind"] != kind:
            return [message]
        body = {**message["body"], **change.get("body", {})}
        return [{**message, **change, "body": {name: value for name, value in body.items() if value is not None}}]

    return coming


def nothing(kind: str) -> Any:
    return lambda message: [] if message["kind"] == kind else [message]


def also(kind: str, other: str, body: dict[str, Any]) -> Any:
    """Behind each message of a kind comes another that must not."""
    def coming(message: dict[str, Any]) -> list[dict[str, Any]]:
        if message["kind"] != kind:
            return [message]
        return [message, {**message, "id": str(uuid.uuid4()), "kind": other, "seq": message["seq"] + 1, "body": body}]

    return coming


def withdrawn_after_all(spoiler: Spoiler) -> Any:
    """`withdrawn` is said, though the matter was accepted."""
    return {"coming": also("accept", "withdrawn", {})}


def stuck(spoiler: Spoiler) -> Any:
    """A gap in one matter holds up every other."""
    def change(status: int, body: dict[str, Any], message: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if status == 409:
            spoiler.memory["gap"] = True
        return (409, {"code": "out_of_order", "expected": 2}) if spoiler.memory.get("gap") else (status, body)

    return {"answer": change}


def another_id(message: dict[str, Any]) -> list[dict[str, Any]]:
    return [{**message, "id": str(uuid.uuid4())}]


def overtaking(spoiler: Spoiler) -> Any:
    """The acceptance is shown before the acknowledgement was answered."""
    def coming(message: dict[str, Any]) -> list[dict[str, Any]]:
        if message["kind"] == "acknowledge":
            spoiler.memory["n"] = spoiler.memory.get("n", 0) + 1
            return [{**message, "kind": "accept", "id": str(uuid.uuid4()), "seq": 2, "term": 2, "body": {"operator": "P1"}}, message]
        return [message]

    return {"coming": coming}


def deaf_to_expected(spoiler: Spoiler) -> Any:
    """It does not go back, but says the same number again: an earlier one never comes twice."""
    def coming(message: dict[str, Any]) -> list[dict[str, Any]]:
        key = f"{message['matter']} {message['seq']}"
        if message["kind"] == "acknowledge" and key in spoiler.memory:
            return []
        spoiler.memory[key] = True
        return [message]

    return {"coming": coming}


def each(names: str, **spoils: Any) -> dict[str, Any]:
    """The same spoils for several checks."""
    return dict.fromkeys(names.split(), spoils)


SPOILS: dict[str, Any] = {
    "sign.good": {"answer": answered(200, answer=None)},
    **each("sign.missing sign.wrong sign.changed sign.old sign.ahead sign.sender sign.id", answer=faults_taken),
    "sign.several": {"going": lambda headers: {**headers, "webhook-signature": headers["webhook-signature"].split(" ")[0]}},
    "sign.rotation": {"answer": answered(401, code="signature")},
    "form.json": {"answer": answered(200)},
    "form.fields": {"answer": answered(422, fields={})},
    "form.after_fault": {"answer": only("offer", lambda s, b, m: (s, {**b, "status": "duplicate"}))},
    **each("form.kind form.version form.addressee form.size order.gap order.unknown", answer=faults_taken),
    "form.more": {"answer": refused},
    **each("order.duplicate order.replay order.old_number",
           answer=only("offer supplement", lambda s, b, m: (200, {**b, "received": m["id"], "status": "applied"}))),
    "order.first": {"answer": answered(409, expected=3)},
    "order.apart": stuck,
    "query.known": {"answer": querying(last_seq=0)},
    "query.unknown": {"answer": lambda s, b, m: (500, {})},
    "life.acknowledge": {"coming": nothing("acknowledge")},
    "life.accept": {"coming": sent("accept", term=1)},
    "life.outcome": {"coming": nothing("progress")},
    "life.refuse": {"coming": sent("refuse", term=2)},
    "life.after_refusal": {"answer": querying(), "coming": sent("accept", term=3)},
    "life.withdraw": {"coming": nothing("withdrawn")},
    "life.withdraw_late": withdrawn_after_all,
    "life.second_offer": {"coming": nothing("refuse")},
    "life.stale_term": {"coming": sent("refuse", body={"reason": "other"})},
    "life.supplement": {"answer": only("supplement", refused)},
    "life.negotiate": {"answer": querying(holder=THEIRS)},
    "life.unclear": {"coming": sent("refuse", body={"defaulted": None})},
    "life.phone": {"answer": querying(holder=THEIRS, term=2)},
    "life.joint": {"coming": sent("accept", term=2)},
    "life.followup": {"coming": sent("offer", body={"basis": "clear"})},
    "life.wrong_side": {"answer": only("accept", faults_taken)},
    "back.accept": {"answer": querying(holder=THEIRS)},
    "back.refuse": {"answer": querying(holder=OURS)},
    "back.withdraw": {"coming": nothing("withdraw")},
    "back.withdraw_late": {"answer": querying(holder=THEIRS, term=1)},
    "back.after_withdrawn": {"answer": only("accept", faults_taken)},
    "back.wrong_term": {"answer": only("accept", faults_taken)},
    **each("send.after_503 send.after_lost send.patience", coming=another_id),
    "send.one_at_a_time": overtaking,
    "send.expected": deaf_to_expected,
}
# Of what came in the run, not of one exchange: each is looked at behind one that makes the desk send something.
LOOKED_AT = {
    "send.signed": {"unsigned": True},
    "send.form": {"coming": sent("withdrawn", version="9")},
    "send.order": {"coming": sent("withdrawn", seq=7)},
}


def test_every_check_has_a_desk_that_breaks_its_rule() -> None:
    assert SPOILS.keys() | LOOKED_AT.keys() == set(NAMES)


@pytest.mark.parametrize("name", SPOILS)
def test_a_broken_rule_is_found(bench: Bench, name: str) -> None:
    spoil = SPOILS[name]
    bench.spoiler.set(**(spoil(bench.spoiler) if callable(spoil) else spoil))
    [finding] = run(bench.session(), chosen([name]))
    bench.spoiler.set()
    assert finding.verdict is Verdict.FAILED, line(finding)
    assert finding.why
    assert f"read: {GUIDE}#{finding.check.read}" in line(finding)


@pytest.mark.parametrize("name", LOOKED_AT)
def test_what_is_wrong_with_its_messages_is_found(bench: Bench, name: str) -> None:
    bench.listener.heard.clear()
    bench.spoiler.set(**LOOKED_AT[name])
    _withdraw, finding = run(bench.session(), chosen(["life.withdraw", name]))
    bench.spoiler.set()
    assert finding.check.name == name
    assert finding.verdict is Verdict.FAILED, line(finding)


# ── Who is at the other desk, and what is told ───────────────────────────────────────────────────────────────────────────

def test_without_a_person_the_rules_of_programs_are_tried(bench: Bench) -> None:
    bench.spoiler.set()
    found = run(bench.session(hands=Nobody()), chosen(["life.accept", "life.phone", "order.gap"]))
    assert [(finding.check.name, finding.verdict) for finding in found] == [
        ("order.gap", Verdict.PASSED), ("life.accept", Verdict.UNTRIED), ("life.phone", Verdict.PASSED)]
    assert summary(found) == {Verdict.PASSED: 2, Verdict.FAILED: 0, Verdict.UNTRIED: 1}


def test_a_person_is_asked_and_a_command_is_run(bench: Bench, tmp_path: Path) -> None:
    bench.spoiler.set()
    asked: list[str] = []
    [slow] = run(bench.session(hands=Asking(asked.append), by_hand=0.3), chosen(["life.accept"]))
    assert slow.verdict is Verdict.FAILED
    assert "please accept the offer TEST-" in asked[0]
    script = tmp_path / "hands.py"
    script.write_text(
        "import json, sys, requests\n"
        "said = json.load(sys.stdin)\n"
        f"requests.post('{bench.desk}/api/handovers/' + said['handover'] + '/' + said['do'], json={{}}).raise_for_status()\n")
    [done] = run(bench.session(hands=Running(f"{sys.executable} {script}"), by_hand=10.0), chosen(["life.accept"]))
    assert done.verdict is Verdict.PASSED, line(done)
    [fails] = run(bench.session(hands=Running("exit 3")), chosen(["life.accept"]))
    assert fails.verdict is Verdict.UNTRIED
    assert "ended with 3" in fails.why


def test_nobody_there_is_a_failure_and_no_crash(bench: Bench) -> None:
    session = bench.session()
    session.url = f"http://127.0.0.1:{free_port()}"
    [finding] = run(session, chosen(["sign.good"]))
    assert finding.verdict is Verdict.FAILED
    assert "no answer" in finding.why
    assert json.loads(json.dumps(finding.as_dict()))["verdict"] == "failed"


def test_every_check_points_to_a_section_that_is_there() -> None:
    known = anchors(ROOT / GUIDE)
    assert {check.read for check in CHECKS} - set(known) == set()
    with pytest.raises(LookupError):
        chosen(["nothing.*"])
