"""Pictures that another system names in its answers, noted when they are heard of. They are fetched afterwards (`fetching`)."""

from __future__ import annotations

import hashlib
import uuid
from typing import Final

from django.conf import settings

from lianxin.cases import files
from lianxin.kernel.crypto import decrypt, encrypt
from lianxin.kernel.ids import uuid7

from .models import Fetching, Link, Picture

MOST: Final = files.FILES_PER_CASE  # of one link
LONGEST: Final = 2_000  # characters of an address


def _context(pk: uuid.UUID) -> str:
    return f"exchange_picture:{pk}:address"


def heard(link: Link, address: str, *, ours: bool = False) -> None:
    """Note a picture that they name, in the caller's transaction, which holds the link. `ours`: they show what was sent from here."""
    if not address or (settings.LIANXIN_PUBLIC_URL and address.startswith(f"{settings.LIANXIN_PUBLIC_URL}/")):
        return
    digest = hashlib.blake2b(address.encode(), digest_size=16).digest()
    held = Picture.objects.filter(link=link)
    if held.filter(digest=digest).exists() or held.count() >= MOST:
        return
    pk = uuid7()
    fits = len(address) <= LONGEST
    state = Fetching.OURS if ours else Fetching.WAITING if fits else Fetching.REFUSED
    Picture.objects.create(id=pk, link=link, digest=digest, state=state,
                           address=encrypt(address, context=_context(pk)) if state is Fetching.WAITING else None)


def address_of(row: Picture) -> str:
    """Where a picture lies, opened; empty once it has been fetched or given up."""
    return decrypt(bytes(row.address), context=_context(row.pk)) if row.address is not None else ""
