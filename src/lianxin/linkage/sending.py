"""One message to one partner over HTTPS, and what its answer means."""

from __future__ import annotations

import threading
import uuid
from dataclasses import dataclass
from typing import Any, Final

import pydantic_core
import requests
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from pydantic import ValidationError

from lianxin.kernel import request_ids, signatures
from lianxin.kernel.clock import now
from lianxin.kernel.errors import DomainError
from lianxin.kernel.ids import uuid7
from lianxin.kernel.sending import SOON, Fate, wait_of

from . import signing, wire
from .models import Partner

CONNECT: Final = 2.0  # seconds
READ: Final = 10.0
READ_URGENT: Final = 5.0
LARGEST_ANSWER: Final = 64 * 1024  # bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. `why` is for people, `wait` seconds the other side asks for; `reached` whether anything answered at all."""

    fate: Fate
    why: str = ""
    receipt: wire.Receipt | None = None
    expected: int = 0
    wait: float | None = None
    reached: bool = True


class Unreachable(DomainError):
    """A question that needs its answer at once got none."""

    status = 503
    default_code = "unreachable"
    default_message = gettext_lazy("对方没有应答。")


_local = threading.local()


def _session(partner: Partner) -> requests.Session:
    """This thread's connection to a partner, kept open between messages."""
    held: dict[int, tuple[tuple[str, ...], requests.Session]] = _local.__dict__.setdefault("sessions", {})
    stamp = (partner.url, partner.ca_file, partner.certificate_file, partner.key_file)
    found = held.get(partner.pk)
    if found is not None and found[0] == stamp:
        return found[1]
    session = requests.Session()
    session.trust_env = False  # no proxy and no password file of whoever started the process
    session.verify = partner.ca_file or True
    if partner.certificate_file:
        session.cert = (partner.certificate_file, partner.key_file) if partner.key_file else partner.certificate_file
    held[partner.pk] = (stamp, session)
    return session


def post(partner: Partner, message_id: uuid.UUID, raw: str, *, urgent: bool = False, secrets: list[str] | None = None) -> Answer:
    """Send one message and read what became of it. Raises nothing: whatever happens is an answer."""
    keys = signing.secrets_of(partner) if secrets is None else secrets
    if not keys:
        return Answer(Fate.LATER, _("没有有效的密钥。"), reached=False)
    headers = {"Content-Type": "application/json", "Accept": "application/json", "Accept-Language": "zh",
               "User-Agent": "lianxin", **request_ids.carried(), **signatures.headers(str(message_id), raw, keys)}
    try:
        with _session(partner).post(
                partner.url.rstrip("/") + wire.PATH, data=raw.encode(), headers=headers, allow_redirects=False, stream=True,
                timeout=(CONNECT, READ_URGENT if urgent else READ)) as reply:
            said = reply.raw.read(LARGEST_ANSWER + 1, decode_content=True)
            return _meaning(reply, said, message_id)
    except requests.exceptions.SSLError as error:
        return Answer(Fate.LATER, _("证书不对：%s") % _short(error), reached=False)
    except requests.exceptions.Timeout:
        return Answer(Fate.LATER, _("对方没有在限定时间内应答。"), reached=False)
    except Exception as error:  # what urllib3 raises while the answer is read has no base in common with what requests does
        return Answer(Fate.LATER, _("联不通：%s") % _short(error), reached=False)


def _short(error: BaseException) -> str:
    return f"{type(error).__name__} {error}"[:160]


def _meaning(reply: requests.Response, said: bytes, message_id: uuid.UUID) -> Answer:
    status = reply.status_code
    if status == 200:
        return _receipt(said, message_id)
    problem = _problem(said)
    why = _said(status, problem)
    if status == 409 and isinstance(problem.get("expected"), int):
        return Answer(Fate.BACK, why, expected=problem["expected"])
    if status in SOON or status >= 500 or status < 400:
        return Answer(Fate.LATER, why, wait=wait_of(reply.headers.get("Retry-After")), reached=status in SOON)
    return Answer(Fate.DEAD, why)


def _receipt(said: bytes, message_id: uuid.UUID) -> Answer:
    """Only a receipt of this very message counts: something in between may answer 200 as well."""
    try:
        receipt = wire.Receipt.model_validate_json(said)
    except ValidationError:
        return Answer(Fate.LATER, _("对方的应答不是回执。"))
    if receipt.received != message_id:
        return Answer(Fate.LATER, _("对方的回执不是这条消息的。"))
    return Answer(Fate.SENT, receipt=receipt)


def _problem(said: bytes) -> dict[str, Any]:
    try:
        found = pydantic_core.from_json(said[:LARGEST_ANSWER])
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _said(status: int, problem: dict[str, Any]) -> str:
    """A sentence that says what the other side minds."""
    parts = [str(problem[name]) for name in ("code", "detail") if isinstance(problem.get(name), str)]
    fields = problem.get("fields")
    if isinstance(fields, dict):
        parts += [f"{name}: {said}" for name, said in list(fields.items())[:5]]
    said = _("对方的应答：%(status)s %(words)s") % {"status": status, "words": " ".join(parts)}
    return said.replace("\x00", "").strip()


def ask(partner: Partner, kind: wire.Kind, body: wire.Part) -> wire.Receipt:
    """Put a question that belongs to no matter and wait for the answer. Raises Unreachable with the reason."""
    key = uuid7()
    raw = wire.envelope(id=key, sender=settings.LIANXIN_LINKAGE_NAME, to=partner.code, kind=kind, sent_at=now(),
                        body=body.model_dump(mode="json"))
    answer = post(partner, key, raw)
    if answer.receipt is None:
        raise Unreachable(answer.why)
    return answer.receipt
