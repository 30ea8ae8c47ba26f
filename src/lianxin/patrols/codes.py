"""Codes of sites, printed on the wall as a QR code and as ten letters: they prove themselves, nothing of them is stored.

The ten letters are a keyed hash of the site's code, so that a site's number alone proves nothing, and one site's letters say
nothing of another's. The QR code holds `LX1:SITE:LETTERS`: with the site in it, a telephone without a network can name it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from django.utils.translation import gettext_lazy as _

from lianxin.kernel.crypto import lookup_hash
from lianxin.kernel.errors import Invalid
from lianxin.places.models import Site

# Crockford's: no I, L, O, U, which are read as one another.
_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_READ_AS = str.maketrans({"I": "1", "L": "1", "O": "0", "U": "V", "-": "", " ": ""})
LENGTH = 10  # letters of five bits: a guess is right once in 10¹⁵
_QR = re.compile(r"LX1:(?P<site>[^:]{1,40}):(?P<letters>[^:]{1,20})")
NOT_A_CODE = _("这个码不是本系统的地点码，请对着墙上的码重扫，或输入图下的字母。")


def letters_of(site_code: str) -> str:
    """The ten letters under a site's picture, `7K3QX-9AB2M`."""
    number = int.from_bytes(lookup_hash(site_code, purpose="site")) >> (256 - 5 * LENGTH)
    said = "".join(_LETTERS[(number >> (5 * place)) & 31] for place in reversed(range(LENGTH)))
    return f"{said[:5]}-{said[5:]}"


def qr_of(site_code: str) -> str:
    """What a site's QR code holds."""
    return f"LX1:{site_code}:{_plain(letters_of(site_code))}"


def _plain(said: str) -> str:
    return said.upper().translate(_READ_AS)


@lru_cache(maxsize=4)
def _by_letters(codes: tuple[str, ...], _key: bytes) -> dict[str, str]:
    return {_plain(letters_of(code)): code for code in codes}


def _known(codes: Iterable[str]) -> dict[str, str]:
    # The hash of nothing stands for the key: with another keyring the letters are others.
    return _by_letters(tuple(codes), lookup_hash("", purpose="site"))


def site_of(read: str) -> Site:
    """The site whose code was scanned, or whose letters were typed. Raises Invalid for any other."""
    said = read.strip()
    scanned = _QR.fullmatch(said)
    letters = _plain(scanned["letters"] if scanned else said)
    codes = Site.objects.filter(active=True).order_by("code").values_list("code", flat=True)
    code = _known(codes).get(letters) if len(letters) == LENGTH else None
    if code is None or (scanned and scanned["site"] != code):
        raise Invalid(NOT_A_CODE, code="site_code_wrong", fields={"code": str(NOT_A_CODE)})
    return Site.objects.get(code=code)
