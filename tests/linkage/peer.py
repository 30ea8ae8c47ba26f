"""The other desk, as it speaks on the wire: signed messages in their order, and what it hears in answer, read from our outbox."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.test import Client
from standardwebhooks import Webhook

from lianxin.kernel.clock import now
from lianxin.kernel.crypto import decrypt, encrypt
from lianxin.kernel.ids import uuid7
from lianxin.linkage import wire
from lianxin.linkage.models import Handover, Matter, Outgoing, Partner, PartnerSecret, Term

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NAME = "110.hill"


def partner(code: str = NAME, **more: Any) -> Partner:
    """A desk that can be reached, with its secret and the lists of the city."""
    made = Partner.objects.create(**{
        "code": code, "name": "山城110", "name_en": "Hill 110", "kind": "police", "service": code.split(".")[0],
        "url": "http://127.0.0.1:9", "emergencies": True, **more})
    pk = uuid7()
    PartnerSecret.objects.create(
        id=pk, partner=made, secret=encrypt(SECRET, context=f"partner_secret:{pk}:secret"), hint=SECRET[-4:])
    for which, codes in (("refusal", ("not_police", "insufficient", "other")), ("result", ("settled", "mediated", "no_action"))):
        for position, one in enumerate(codes):
            Term.objects.get_or_create(list=which, code=one, defaults={"name": one, "position": position})
    return made


@dataclass(slots=True)
class Peer:
    """One matter from the other desk's side. `say` sends a message, `heard` gives what we sent so far."""

    desk: Partner
    matter: uuid.UUID = field(default_factory=uuid7)
    term: int = 1
    seq: int = 0
    client: Client = field(default_factory=Client)

    @classmethod
    def of(cls, handover: Handover) -> Peer:
        """The other side of an offer of ours."""
        return cls(handover.matter.partner, handover.matter_id, handover.matter.term)

    def raw(self, kind: str, handover: uuid.UUID, *, term: int | None = None, seq: int | None = None, **body: Any) -> str:
        return wire.envelope(
            id=uuid7(), sender=self.desk.code, to=settings.LIANXIN_LINKAGE_NAME, kind=wire.Kind(kind), sent_at=now(), body=body,
            matter=self.matter, seq=seq or self.seq + 1, handover=handover, term=term or self.term)

    def send(self, raw: str, *, secret: str = SECRET) -> Any:
        at = now()
        key = json.loads(raw)["id"]
        headers = {"webhook-id": key, "webhook-timestamp": str(int(at.timestamp())),
                   "webhook-signature": Webhook(secret).sign(key, at, raw)}
        return self.client.post(wire.PATH, data=raw, content_type="application/json", headers=headers)

    def say(self, kind: str, handover: uuid.UUID, **more: Any) -> dict[str, Any]:
        """Send the next message of this matter; it must be taken."""
        if kind == "accept" and "term" not in more:
            more["term"] = self.term + 1
        reply = self.send(self.raw(kind, handover, **more))
        assert reply.status_code == 200, reply.content.decode()
        self.seq += 1
        if kind == "accept":
            self.term = more["term"]
        return dict(reply.json())

    def offer(self, **more: Any) -> uuid.UUID:
        """Offer a matter, or again the same one."""
        key = uuid7()
        self.say("offer", key, **{"words": "楼下邻居半夜吵架，双方已平静，想请社区调解。", "first_receiver": self.desk.code, **more})
        return key

    def heard(self) -> list[tuple[str, dict[str, Any]]]:
        """What was put into our outbox for this matter, in order."""
        rows = Outgoing.objects.filter(matter_id=self.matter).order_by("seq")
        return [(row.kind, opened(row)) for row in rows]

    def row(self) -> Matter:
        return Matter.objects.get(pk=self.matter)


def opened(row: Outgoing) -> dict[str, Any]:
    assert row.body is not None
    return dict(json.loads(decrypt(bytes(row.body), context=f"outgoing:{row.pk}:body")))
