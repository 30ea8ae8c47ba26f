"""What another system says of a case, taken: a note on the case, and when it has closed it a prepared reply. It closes nothing here."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from django.db import transaction
from django.utils.translation import gettext as _

from lianxin.cases.actions import assist_reply, assist_sign, reply, sign
from lianxin.cases.actions.outside import note_outside
from lianxin.cases.engine import On
from lianxin.cases.models import Assignment, AssignmentRole, Case, ContactMeans, EventText, Reporter, State
from lianxin.kernel.clock import now
from lianxin.kernel.crypto import decrypt, encrypt
from lianxin.kernel.errors import Conflict, DomainError, NotAllowed, NotFound
from lianxin.organisations.actors import SYSTEM, Actor, actor_for

from . import georeport, pictures, policy
from .models import Closing, Heard, Letter, Link, Photo, Settled, Sort, System
from .outbox import body_of

LONGEST: Final = 4_000
LAST: Final = 4  # updates that go into a prepared reply


def _context(link: Link) -> str:
    return f"exchange_link:{link.pk}:proposal"


def proposal_of(link: Link) -> str:
    """What they closed it with, opened; empty where nothing waits."""
    return decrypt(bytes(link.proposal), context=_context(link)) if link.proposal is not None else ""


def note(link: Link, stage: str, words: str = "", *, photos: Sequence[uuid.UUID] = ()) -> None:
    """Write down on the case what was heard; with `photos` files that came become the case's."""
    system = link.system
    unit = system.unit.code if system.unit is not None and not link.incoming else ""
    note_outside(On(link.case_id, SYSTEM), stage=stage, system=system.code, name=system.name, name_en=system.name_en,
                 reference=link.theirs, words=words[:LONGEST], photos=photos, unit=unit)


@contextmanager
def held(pk: uuid.UUID) -> Iterator[Link | None]:
    """A link in a transaction of its own, locked behind its case: the order in which every action takes them. None when it is gone."""
    with transaction.atomic():
        case_id = Link.objects.filter(pk=pk).values_list("case_id", flat=True).first()
        if case_id is None:
            yield None
            return
        Case.objects.select_for_update().get(pk=case_id)
        yield Link.objects.select_for_update(of=("self",)).select_related("system__agent", "system__unit", "case").get(pk=pk)


def tell_number(link: Link) -> None:
    """The case hears which number the other system gave it; the unit's part is signed for where the city lets that be."""
    Link.objects.filter(pk=link.pk).update(noted=True)
    if link.ended_at is None:
        note(link, "imported" if link.incoming else "sent")
        _sign(link)


def agent_of(system: System) -> Actor | None:
    """In whose name the platform acts for the unit, where the city has named an account."""
    return actor_for(system.agent, via="exchange") if system.agent is not None and system.agent.is_active else None


def _sign(link: Link) -> None:
    """Their having it is the unit's having signed for it, where the city has named whose account that is."""
    agent = agent_of(link.system)
    if agent is None or link.incoming:
        return
    assists = _assists(link)
    if not assists and not Case.objects.filter(pk=link.case_id, state=State.DISPATCHED).exists():
        return
    try:
        with transaction.atomic():
            (assist_sign if assists else sign)(On(link.case_id, agent))
    except DomainError:
        return  # somebody was quicker


def _assists(link: Link) -> bool:
    """Whether the unit has an assisting part: it answers the lead unit, not the reporter."""
    return link.assignment is not None and link.assignment.role == AssignmentRole.ASSIST


def status(link: Link, row: dict[str, str]) -> bool:
    """Take the status of a request as they tell it. Returns whether it was new. In the caller's transaction, which holds the link."""
    said = georeport.status(row)
    words = row.get("status_notes", "")
    pictures.heard(link, row.get("media_url", ""), ours=link.digest is None and Photo.objects.filter(link=link).exists())
    digest = hashlib.blake2b(f"{said}\x1f{words}".encode(), digest_size=16).digest()
    if not said or (link.digest is not None and bytes(link.digest) == digest):
        return False
    before = link.status
    link.digest, link.status = digest, said
    link.status_at = georeport.moment(row.get("updated_datetime", "")) or now()
    link.save(update_fields=["digest", "status", "status_at"])
    if link.ended_at is not None:
        return True
    if said == georeport.CLOSED and before != georeport.CLOSED:
        note(link, "closed", words)
        _propose(link, words)
    elif said == georeport.OPEN and before == georeport.CLOSED:
        note(link, "reopened", words)
        if link.proposal is not None and not link.settled:
            _settle(link, Settled.OVER, None)
    elif words:
        note(link, "progress", words)
        if said == georeport.CLOSED and not link.settled:
            _propose(link, words)
    return True


def update(link: Link, row: dict[str, str]) -> bool:
    """Take one update of theirs, once. Returns whether it was new. In the caller's transaction, which holds the link."""
    key, words = row.get("update_id", "")[:120], row.get("description", "")
    if not key or Heard.objects.filter(link=link, update=key).exists():
        return False
    Heard.objects.create(link=link, update=key)
    ours = _ours(link, words)
    if link.ended_at is None:
        pictures.heard(link, row.get("media_url", ""), ours=ours)
        if words and not ours:
            note(link, "progress", words)
    return True


def _ours(link: Link, words: str) -> bool:
    """Whether an update is one that was sent from here: they list it among their own."""
    sent = Letter.objects.filter(link=link, sort=Sort.UPDATE, body__isnull=False)
    return any(body_of(one)["description"] in words for one in sent)


def _propose(link: Link, words: str) -> None:
    """Their end becomes a prepared reply of the unit's, or its reply at once where the city has said so."""
    if link.incoming or link.assignment_id is None:
        return
    if not Assignment.objects.filter(pk=link.assignment_id, ended_at__isnull=True, handled_at__isnull=True).exists():
        return
    words = "\n".join(dict.fromkeys([*_lately(link), *([words] if words else [])]))[-LONGEST:]
    link.proposal = encrypt(words or _("对方系统已办结，没有写明结果。"), context=_context(link))
    link.proposed_at, link.settled, link.settled_at = now(), "", None
    link.save(update_fields=["proposal", "proposed_at", "settled", "settled_at"])
    if link.system.closing == Closing.REPLY and words:
        _reply(link, words)


def reply_now(link: Link) -> None:
    """A prepared reply that could not be the unit's by itself is tried again: a photo has come. In the caller's transaction."""
    if link.system.closing == Closing.REPLY and link.ended_at is None and not link.settled and (words := proposal_of(link)):
        _reply(link, words)


def _lately(link: Link) -> list[str]:
    """What they said of it last, oldest first: servers that have the updates extension tell the result there."""
    told = EventText.objects.filter(case_id=link.case_id, field="words", event__action="note_outside", event__data__stage="progress",
                                    event__data__reference=link.theirs).order_by("-event_id").values_list("body", flat=True)
    return list(told[:LAST])[::-1]


def _reply(link: Link, words: str) -> None:
    """The unit's reply, through the action that its people use: proof of contact and photos are asked for all the same, and what
    cannot be replied stays a prepared reply for a person."""
    agent = agent_of(link.system)
    if agent is None:
        return
    _sign(link)
    on = On(link.case_id, agent)
    try:
        with transaction.atomic():
            if _assists(link):
                assist_reply(on, private_note=words)
            else:
                reachable = Reporter.objects.filter(case=link.case_id, phone__isnull=False).exists()
                reply(on, public_answer=words, solved=True, means=None if reachable else ContactMeans.NOT_LEFT.value)
    except DomainError:
        return
    _settle(link, Settled.ALONE, agent.staff_id)


def _settle(link: Link, how: Settled, staff_id: int | None) -> None:
    link.settled, link.settled_at, link.settled_by_id = how.value, now(), staff_id
    link.save(update_fields=["settled", "settled_at", "settled_by"])


def put_aside(by: Actor, pk: uuid.UUID) -> Link:
    """A person of the unit does not take over what the other system said; it stays on the case. Raises NotFound, NotAllowed and
    Conflict."""
    with held(pk) as link:
        if link is None:
            raise NotFound(_("没有找到这条记录。"))
        if not policy.settles(by, link.system.unit_id):
            raise NotAllowed(_("由承办单位的承办员决定。"))
        if link.proposal is None or link.settled:
            raise Conflict(_("已经有人处理过了。"))
        _settle(link, Settled.ASIDE, by.staff_id)
        note(link, "aside")
    return link
