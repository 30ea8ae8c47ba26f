"""What comes in: signed or not taken, in its turn or not at all, the same answer for the same message, and never a 500."""

from __future__ import annotations

import json
import time
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from standardwebhooks import Webhook

from lianxin.kernel import signatures
from lianxin.kernel.clock import Frozen, now
from lianxin.kernel.ids import uuid7
from lianxin.linkage import inbound, signing, wire
from lianxin.linkage.models import Handover, Matter, Outgoing, Partner, Received

from .peer import SECRET, Peer, partner

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk() -> Partner:
    return partner()


@pytest.fixture
def peer(desk: Partner) -> Peer:
    return Peer(desk)


def raw(peer: Peer, kind: str = "ping", **fields: Any) -> dict[str, Any]:
    made = {"version": "1", "id": str(uuid7()), "from": peer.desk.code, "to": settings.LIANXIN_LINKAGE_NAME, "kind": kind,
            "sent_at": now().isoformat(), "body": {}}
    return {**made, **fields}


def offer(peer: Peer, **fields: Any) -> dict[str, Any]:
    return raw(peer, **{"kind": "offer", "matter": str(peer.matter), "seq": 1, "term": 1, "handover": str(uuid7()), "body": {
        "words": "楼下吵架", "first_receiver": peer.desk.code}, **fields})


def post(body: bytes, headers: dict[str, str], kind: str = "application/json") -> Any:
    return Client(raise_request_exception=True).post(wire.PATH, data=body, content_type=kind, headers=headers)


def signed(message: dict[str, Any] | bytes, *, secret: str = SECRET, key: str | None = None, shift: int = 0) -> Any:
    body = message if isinstance(message, bytes) else json.dumps(message, ensure_ascii=False).encode()
    key = key or (message["id"] if isinstance(message, dict) else str(uuid7()))
    at = now() + timedelta(seconds=shift)
    return post(body, {"webhook-id": key, "webhook-timestamp": str(int(at.timestamp())),
                       "webhook-signature": Webhook(secret).sign(key, at, body.decode("utf-8", "replace"))})


def refused(reply: Any, status: int, code: str) -> dict[str, Any]:
    assert reply.status_code == status, reply.content.decode()
    assert reply.headers["Content-Type"] == "application/problem+json"
    said = dict(reply.json())
    assert (said["code"], said["status"]) == (code, status)
    assert said["detail"]
    return said


# ── Signatures ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_signed_message_is_answered(peer: Peer) -> None:
    reply = signed(raw(peer))
    assert reply.status_code == 200
    assert reply.json()["answer"] == {"pong": True}
    assert "Set-Cookie" not in reply.headers


GOOD = "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4="


@pytest.mark.parametrize("change", [
    {"webhook-signature": ""}, {"webhook-signature": GOOD}, {"webhook-signature": "v1"}, {"webhook-signature": "v1,"},
    {"webhook-signature": "v1,%%%"}, {"webhook-signature": "v1,é"}, {"webhook-signature": "v2," + GOOD[3:]},
    {"webhook-signature": " ".join([GOOD] * 500)}, {"webhook-signature": ",,, , v1,,"}, {"webhook-timestamp": ""},
    {"webhook-timestamp": "now"}, {"webhook-timestamp": "nan"}, {"webhook-timestamp": "1e9"}, {"webhook-timestamp": "9" * 400},
    {"webhook-timestamp": "-1"}, {"webhook-id": ""}, {"webhook-id": "x"}, {"webhook-id": "é" * 50},
])
def test_headers_that_are_none_are_answered_401(peer: Peer, change: dict[str, str]) -> None:
    message = raw(peer)
    body = json.dumps(message).encode()
    headers = signatures.headers(message["id"], body.decode(), [SECRET])
    reply = post(body, {**headers, **change})
    refused(reply, 401, "signature")
    assert "WWW-Authenticate" not in reply.headers


def test_without_headers_or_with_another_key_or_another_body(peer: Peer) -> None:
    message = raw(peer)
    body = json.dumps(message).encode()
    refused(post(body, {}), 401, "signature")
    refused(signed(message, secret=signatures.fresh()), 401, "signature")
    refused(post(body + b" ", signatures.headers(message["id"], body.decode(), [SECRET])), 401, "signature")


@pytest.mark.parametrize("seconds", [-299, 299])
def test_clocks_may_differ_by_five_minutes(monday: Frozen, seconds: int) -> None:
    assert signed(raw(Peer(partner())), shift=seconds).status_code == 200


@pytest.mark.parametrize("seconds", [-302, 302, -86_400])
def test_a_clock_that_is_off_is_told_so(monday: Frozen, seconds: int) -> None:
    assert "五分钟" in refused(signed(raw(Peer(partner())), shift=seconds), 401, "signature")["detail"]


def test_an_unknown_desk_is_answered_as_a_wrong_key_is(peer: Peer) -> None:
    unknown = refused(signed(raw(peer, **{"from": "119.nowhere"})), 401, "signature")
    wrong = refused(signed(raw(peer), secret=signatures.fresh()), 401, "signature")
    assert unknown == wrong
    Partner.objects.update(active=False)
    assert refused(signed(raw(peer)), 401, "signature") == wrong


def test_the_signature_of_one_desk_speaks_for_that_desk_only(peer: Peer) -> None:
    other = partner("119.hill")
    other.secrets.all().delete()
    _row, secret = signing.add_secret(other)
    refused(signed(raw(peer), secret=secret), 401, "signature")
    refused(signed(raw(peer), key=str(uuid7())), 401, "signature")  # another id than the one inside


def test_either_of_two_keys_is_taken_and_an_ended_one_is_not(peer: Peer, desk: Partner) -> None:
    _row, new = signing.add_secret(desk)
    for secret in (SECRET, new):
        assert signed(raw(peer), secret=secret).status_code == 200
    signing.retire_secret(desk, SECRET[-4:])
    refused(signed(raw(peer)), 401, "signature")
    assert signed(raw(peer), secret=new).status_code == 200


def test_too_many_unsigned_requests_of_an_address_wait_and_signed_ones_do_not(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    from lianxin.api import linkage

    monkeypatch.setattr(linkage, "UNSIGNED_A_MINUTE", 3)
    codes = [post(b"{}", {}).status_code for _n in range(2)] + [
        signed(raw(peer), secret=signatures.fresh()).status_code for _n in range(5)]
    assert codes[:2] == [400, 400]
    assert set(codes[2:]) == {401, 429}
    assert signed(raw(peer)).status_code == 200


# ── What a message looks like ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("body", [
    b" ", b"{", b"\xff\xfe", b"[]", b"null", b"1", b'"x"', b'{"from": 1}', b"{}", b"[" * 100_000, b'{"a":' * 20_000 + b"1" + b"}" * 20_000,
    b'{"from": "110.hill\\u0000"}', b'{"from": "\\ud800"}',
])
def test_what_is_no_message_is_400_or_401(peer: Peer, body: bytes) -> None:
    reply = post(body, signatures.headers("x", "y", [SECRET]))
    assert reply.status_code in (400, 401)
    assert reply.json()["code"] in ("malformed", "signature")


@pytest.mark.parametrize(("change", "field"), [
    ({"version": "2"}, "version"), ({"sent_at": "yesterday"}, "sent_at"), ({"sent_at": "2026-01-01T00:00:00"}, "sent_at"),
    ({"kind": "shout"}, "kind"), ({"kind": None}, "kind"), ({"matter": "1"}, "matter"), ({"seq": 0}, "seq"), ({"seq": "x"}, "seq"),
    ({"term": None}, "term"), ({"body": None}, "body"), ({"body": {"words": " ", "first_receiver": "x"}}, "body"),
    ({"body": {"words": "x" * 12_001, "first_receiver": "x"}}, "body.words"), ({"to": "12345.elsewhere"}, "to"),
    ({"body": {"words": "x", "first_receiver": "x", "place": {"lon": 1}}}, "body.place"),
    ({"body": {"words": "x", "first_receiver": "x", "place": {"lon": 181, "lat": 1}}}, "body.place.lon"),
])
def test_a_field_that_is_wrong_is_named(peer: Peer, change: dict[str, Any], field: str) -> None:
    said = refused(signed(offer(peer, **change)), 422, "invalid")
    assert field in said["fields"]
    assert not Matter.objects.exists()


def test_fields_a_reader_does_not_know_are_ignored(peer: Peer) -> None:
    assert signed(offer(peer, colour="red", body={"words": "x", "first_receiver": peer.desk.code, "mood": 3})).status_code == 200


def test_size_method_and_type(peer: Peer) -> None:
    big = offer(peer, padding="x" * wire.LARGEST)
    refused(signed(big), 413, "too_large")
    refused(post(b"{}", {}, kind="text/plain"), 415, "unsupported_media_type")
    for path in (wire.PATH, "/linkage/v1/openapi.json"):
        reply = Client().put(path)
        assert reply.status_code == 405
        assert reply.headers["Allow"]
    assert Client().get("/linkage/v2/messages").status_code == 404


@hypothesis_settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_signed_nonsense_makes_it_fail(peer: Peer, data: st.DataObject) -> None:
    """Whatever a partner's program sends with a good signature: an answer below 500, and JSON."""
    values = st.recursive(st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20) | st.just("\x00"),
                          lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3), max_leaves=6)
    message = offer(peer, matter=str(uuid7()))
    message["id"] = str(uuid7())
    for name in data.draw(st.lists(st.sampled_from(sorted(message)), max_size=3)):
        message[name] = data.draw(values)
    if isinstance(message["body"], dict):
        message["body"].update(data.draw(st.dictionaries(st.sampled_from(
            ["words", "place", "caller", "category", "mode", "basis", "follows", "answer_within"]), values, max_size=2)))
    message["kind"] = data.draw(st.sampled_from([message["kind"], *wire.Kind]))
    key = message["id"] if isinstance(message["id"], str) and message["id"].isascii() else str(uuid7())
    reply = signed(json.dumps(message).encode(), key=key or "x")
    assert reply.status_code < 500, reply.content.decode()
    assert reply.json() is not None


# ── In its turn, once ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_same_message_again_is_answered_the_same_and_changes_nothing(peer: Peer) -> None:
    message = offer(peer)
    first = signed(message)
    assert first.json()["status"] == "applied"
    sent = Outgoing.objects.count()
    again = [signed({**message, "sent_at": "2027-01-01T00:00:00Z"}), signed(message)]
    assert [one.json()["status"] for one in again] == ["duplicate"] * 2
    assert (Handover.objects.count(), Received.objects.count(), Outgoing.objects.count()) == (1, 1, sent)


def test_a_gap_says_what_is_expected_and_uses_up_no_number(peer: Peer) -> None:
    assert refused(signed(offer(peer, seq=2)), 409, "out_of_order")["expected"] == 1
    key = peer.offer()
    for seq in (3, 9):
        assert refused(peer.send(peer.raw("supplement", key, seq=seq, words="更多")), 409, "out_of_order")["expected"] == 2
    peer.say("supplement", key, words="更多")
    assert peer.row().received_seq == 2


def test_an_id_or_a_number_that_was_something_else_is_refused(peer: Peer) -> None:
    """Their backup was restored, and they count anew: better a dead letter than words lost."""
    message = offer(peer)
    signed(message)
    other = {**message, "id": str(uuid7()), "body": {"words": "另一件事", "first_receiver": peer.desk.code}}
    refused(signed(other), 422, "seq_reused")
    refused(signed({**other, "id": message["id"]}), 422, "id_reused")
    more = json.loads(peer.raw("supplement", uuid.UUID(message["handover"]), seq=2, words="更多"))
    refused(signed({**more, "id": message["id"]}), 422, "id_reused")
    assert signed(more).json()["status"] == "applied"


def test_a_matter_of_another_desk_is_unknown(peer: Peer) -> None:
    key = peer.offer()
    stranger = Peer(partner("119.hill"), matter=peer.matter, seq=1)
    refused(stranger.send(stranger.raw("supplement", key, words="我们也要说")), 422, "unknown_matter")
    refused(stranger.send(stranger.raw("offer", uuid7(), seq=1, words="x", first_receiver="119.hill")), 422, "unknown_matter")
    assert stranger.send(json.dumps(raw(stranger, "query", body={"matter": str(peer.matter)}))).json()["answer"]["holder"] is None


@pytest.mark.parametrize(("kind", "code"), [("supplement", "unknown_matter"), ("accept", "unknown_matter")])
def test_nothing_but_an_offer_begins_a_matter(peer: Peer, kind: str, code: str) -> None:
    body = {"words": "x"} if kind == "supplement" else {}
    refused(peer.send(peer.raw(kind, uuid7(), **body)), 422, code)


def test_what_no_crossing_explains_is_refused_and_not_used_up(peer: Peer) -> None:
    key = peer.offer()
    refused(peer.send(peer.raw("supplement", uuid7(), words="x")), 422, "unknown_handover")
    refused(peer.send(peer.raw("accept", key, term=2)), 422, "wrong_side")
    refused(peer.send(peer.raw("close", key)), 422, "not_in_this_state")
    refused(peer.send(peer.raw("offer", key, words="x", first_receiver=peer.desk.code)), 422, "known_handover")
    assert peer.row().received_seq == 1


def test_a_second_offer_while_one_is_open_is_refused_by_the_rules(peer: Peer) -> None:
    peer.offer()
    second = peer.offer()
    assert Handover.objects.get(pk=second).state == "refused"
    assert peer.heard()[-1] == ("refuse", peer.heard()[-1][1] | {"reason": "stale_term"})


def test_a_question_is_answered_from_what_is_written_down(peer: Peer) -> None:
    def standing() -> dict[str, Any]:
        return dict(signed(raw(peer, "query", body={"matter": str(peer.matter)})).json()["answer"])

    assert standing() == {"holder": None, "term": 0, "state": None, "last_seq": 0}
    peer.offer()
    assert standing() == {"holder": peer.desk.code, "term": 1, "state": "offered", "last_seq": 1}


# ── When it is our fault ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_fault_of_ours_is_503_and_leaves_nothing_behind(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    message = offer(peer)
    sound = inbound.HANDLERS[wire.Kind.OFFER]

    def half(arrival: inbound.Arrival) -> None:
        sound(arrival)
        raise ZeroDivisionError

    monkeypatch.setitem(inbound.HANDLERS, wire.Kind.OFFER, half)
    reply = signed(message)
    refused(reply, 503, "unavailable")
    assert int(reply.headers["Retry-After"]) > 0
    assert [model.objects.count() for model in (Matter, Handover, Received, Outgoing)] == [0, 0, 0, 0]
    monkeypatch.undo()
    assert signed(message).json()["status"] == "applied"


@pytest.mark.django_db(transaction=True)
def test_a_matter_that_somebody_holds_is_503_and_then_taken() -> None:
    import psycopg

    peer = Peer(partner())
    key = peer.offer()
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '200ms'")
    names = ("dbname", "host", "port", "user", "password")
    params = {name: value for name, value in connection.get_connection_params().items() if name in names}
    with psycopg.connect(**params) as other:
        other.execute("SELECT 1 FROM linkage_matter WHERE id = %s FOR UPDATE", [peer.matter])
        started = time.monotonic()
        refused(peer.send(peer.raw("supplement", key, words="更多")), 503, "unavailable")
        assert time.monotonic() - started < 5
        other.rollback()
    peer.say("supplement", key, words="更多")


@pytest.mark.django_db(transaction=True)
def test_the_first_message_twice_at_the_same_time_makes_one_matter() -> None:
    from concurrent.futures import ThreadPoolExecutor

    from django.db import connections

    peer = Peer(partner())
    message = offer(peer)

    def send(_n: int) -> tuple[int, str]:
        try:
            reply = signed(message)
            return reply.status_code, reply.json()["status"]
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        answers = sorted(pool.map(send, range(4)))
    assert answers == [(200, "applied"), *[(200, "duplicate")] * 3]
    assert (Matter.objects.count(), Handover.objects.count()) == (1, 1)


# ── Rules agreed on ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_rule_is_known_by_its_id(peer: Peer) -> None:
    message = raw(peer, "rule", body={"rule": str(uuid.uuid4()), "action": "propose", "takes": "receiver", "words": "噪声归热线",
                                      "category": {"code": "noise", "name": "噪声"}})
    assert [signed(message).json()["status"] for _n in range(2)] == ["applied", "duplicate"]
    refused(signed({**message, "body": {**message["body"], "words": "别的"}}), 422, "id_reused")
    refused(signed(raw(peer, "rule", body={"rule": str(uuid.uuid4()), "action": "approve"})), 422, "unknown_rule")
