"""POST requests: a form as GeoReport v2 has it, made into what a resident said, and registered as any other case.

What the specification lets a client send about whoever reports is the reporter's, sealed with the case. `device_id` and `account_id`
are not kept: they name a telephone or an account across cases, which nothing here does.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field, replace
from typing import Any, BinaryIO, Final, cast
from urllib.parse import urlsplit

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.http import HttpRequest, QueryDict
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _

from lianxin.cases import files, narrative
from lianxin.cases.actions import Intake, Registered, register
from lianxin.cases.engine import submission_key
from lianxin.cases.models import Case, Channel
from lianxin.faces.machines import Caller
from lianxin.kernel.crypto import KeyringError, decrypt, encrypt
from lianxin.kernel.errors import Invalid
from lianxin.places import gazetteer
from lianxin.places.models import Area, Site
from lianxin.publishing.records import reference_of
from lianxin.services.models import LISTS, Datatype

from .asked import moment
from .errors import Absent, Bad
from .queries import DESCRIPTION
from .services import Service, catalogue, options_of, type_of

ADDRESS: Final = 300
ANSWER: Final = {Datatype.STRING: 200, Datatype.TEXT: 1_000}
URL: Final = 500
FILES: Final = 6
_ATTRIBUTE = re.compile(r"attribute\[([^\[\]]{1,60})\](?:\[\d{0,3}\])?")
_NUMBER = re.compile(r"[+-]?\d{1,12}(?:[.,]\d{1,12})?")
_IDEMPOTENCY = re.compile(r"[\x21-\x7e]{1,200}")


def read_form(request: HttpRequest) -> QueryDict:
    """The fields of a posted form; those in the address count where the body has none of that name. Raises Bad for what is no form."""
    if request.content_type not in ("application/x-www-form-urlencoded", "multipart/form-data"):
        raise Bad(_("请求内容须是 application/x-www-form-urlencoded 或 multipart/form-data。"))
    if (request.content_params or {}).get("charset", "utf-8").lower() not in ("utf-8", "utf8"):
        raise Bad(_("请求内容须是 UTF-8 编码。"))
    values = request.POST.copy()
    for name in request.GET:
        if name not in values:
            values.setlist(name, request.GET.getlist(name))
    return values


@dataclass(slots=True)
class _Faults:
    """What is wrong, by field: all of it is told at once."""

    found: dict[str, str] = field(default_factory=dict)

    def add(self, name: str, said: str) -> None:
        self.found.setdefault(name, said)

    def tell(self) -> None:
        if self.found:
            raise Bad(fields=self.found)


def _one(values: QueryDict, name: str) -> str:
    return values.get(name, "").strip()


def _degrees(values: QueryDict, name: str, most: float, faults: _Faults) -> float | None:
    said = _one(values, name)
    if not said:
        return None
    try:
        found = float(said)
    except ValueError:
        found = math.nan
    if not math.isfinite(found) or abs(found) > most or not said.isascii() or "_" in said:
        faults.add(name, _("须是 WGS-84 度数，在 ±%d 之间。") % most)
        return None
    return found


def _place(values: QueryDict, faults: _Faults) -> dict[str, Any]:
    """Where it is: of lat and long, address_string and address_id at least one; the position counts first."""
    lat, lon = _degrees(values, "lat", 90, faults), _degrees(values, "long", 180, faults)
    address, address_id = _one(values, "address_string"), _one(values, "address_id")
    if bool(_one(values, "lat")) != bool(_one(values, "long")):
        faults.add("lat" if not _one(values, "lat") else "long", _("lat 和 long 要一起提供。"))
    elif not (_one(values, "lat") or address or address_id):
        faults.add("address_string", _("要写明地点：lat 和 long，或 address_string，或 address_id。"))
    if len(address) > ADDRESS:
        faults.add("address_string", _("最多 %d 个字。") % ADDRESS)
    found: dict[str, Any] = {"place_text": address, "lon": lon, "lat": lat}
    if address_id:
        found |= _of_id(address_id, found, faults)
    elif lat is None and address and (clear := gazetteer.read(address).clear) is not None:
        found["area"] = clear.area_code
    return found


def _of_id(said: str, known: dict[str, Any], faults: _Faults) -> dict[str, Any]:
    """The area or site that an address_id names: codes, as requests are answered with."""
    area = Area.objects.filter(code=said, active=True).first() if len(said) <= 24 else None
    if area is not None:
        return {"area": area.code} if known["lat"] is None else {}
    site = Site.objects.filter(code=said, active=True).select_related("area").first() if len(said) <= 40 else None
    if site is None:
        faults.add("address_id", _("没有这个地点。"))
        return {}
    found: dict[str, Any] = {"place_text": known["place_text"] or site.name}
    if known["lat"] is None:
        found |= {"lon": site.lon, "lat": site.lat} if site.lon is not None and not site.approximate else {"area": site.area.code}
    return found


def _answers(values: QueryDict, service: Service, faults: _Faults) -> list[str]:
    """Each answered question in a line of the words, in the city's own language. What is asked for must be there, what was not
    asked must not: an answer that nobody reads would be lost."""
    sent: dict[str, list[str]] = {}
    for name in values:
        match = _ATTRIBUTE.fullmatch(name)
        if match is not None:
            sent.setdefault(match[1], []).extend(said.strip() for said in values.getlist(name) if said.strip())
        elif name.startswith("attribute"):
            faults.add(name[:60], _("写法应是 attribute[code]=value。"))
    lines = []
    asked = {one.code: one for one in service.attributes if one.variable}
    for code in sent:
        if code not in asked and sent[code]:
            faults.add(f"attribute[{code}]", _("这项服务没有问这个。"))
    for code, attribute in asked.items():
        answered, name = sent.get(code, []), f"attribute[{code}]"
        if not answered:
            if attribute.required:
                faults.add(name, _("必填：%s") % attribute.asked)
            continue
        if len(answered) > 1 and attribute.datatype != Datatype.MULTI:
            faults.add(name, _("只能有一个值。"))
            continue
        if attribute.datatype in LISTS:
            known = {key: label for key, label, _english in attribute.options}
            if wrong := [said for said in answered if said not in known]:
                faults.add(name, _("“%(value)s”不在可选值内：%(known)s。")
                           % {"value": wrong[0][:40], "known": ", ".join(key for key, _label in options_of(attribute))})
                continue
            answered = [known[said] for said in dict.fromkeys(answered)]
        elif (wrong_form := _misread(attribute.datatype, answered[0], name)) is not None:
            faults.add(name, wrong_form)
            continue
        lines.append(f"{attribute.question} {'、'.join(answered)}")
    return lines


def _misread(datatype: str, said: str, name: str) -> str | None:
    """Why an answer is not of its datatype; None when it is."""
    if datatype == Datatype.NUMBER:
        return None if _NUMBER.fullmatch(said) else _("须是数字。")
    if datatype == Datatype.DATETIME:
        try:
            moment(said, name)
        except Bad as error:
            return error.fields[name]
        return None
    if datatype == Datatype.STRING and re.search(r"[\r\n]", said):
        return _("不能换行。")
    limit = ANSWER[Datatype(datatype)]
    return _("最多 %d 个字。") % limit if len(said) > limit else None


def _is_link(said: str) -> bool:
    if len(said) > URL or re.search(r"\s", said):
        return False
    try:
        parts = urlsplit(said)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def _links(values: QueryDict, faults: _Faults) -> list[str]:
    """Addresses of pictures and the like. They are told to whoever handles the case; nothing is fetched from them."""
    found = []
    for name in ("media_url", "media_url[]"):
        for said in (one.strip() for one in values.getlist(name)):
            if not said:
                continue
            if _is_link(said):
                found.append(said)
            else:
                faults.add("media_url", _("须是 http:// 或 https:// 开头的地址，最多 %d 个字。") % URL)
    if len(found) > FILES:
        faults.add("media_url", _("最多 %d 个。") % FILES)
    return found


def links_of(values: QueryDict) -> list[str]:
    """The same as lines of words. Raises Bad."""
    faults = _Faults()
    links = _links(values, faults)
    faults.tell()
    return [_("图片链接：%s") % link for link in links]


def _name(first: str, last: str) -> str:
    """The two parts as one name: Chinese ones family name first, without a blank."""
    if any("\u4e00" <= letter <= "\u9fff" for letter in first + last):
        return last + first
    return f"{first} {last}".strip()


def _described(values: QueryDict, service: Service, lines: list[str], links: list[str]) -> str:
    """All that was said, one below the other; the service's name where nothing was."""
    words = _one(values, "description")
    with override(settings.LANGUAGE_CODE):
        own = catalogue().services.get(service.code, service)
        links = [_("图片链接：%s") % link for link in links]
    return "\n".join([words or own.name, *lines, *links])


def intake_of(values: QueryDict, service: Service) -> Intake:
    """What the form says, checked. Raises Bad with every fault of it."""
    faults = _Faults()
    if len(_one(values, "description")) > DESCRIPTION:
        faults.add("description", _("最多 %d 个字。") % DESCRIPTION)
    place = _place(values, faults)
    lines, links = _answers(values, service, faults), _links(values, faults)
    for name, most in (("first_name", 60), ("last_name", 60), ("email", 200), ("phone", 40)):
        if len(_one(values, name)) > most:
            faults.add(name, _("最多 %d 个字。") % most)
    faults.tell()
    return Intake(
        words=_described(values, service, lines, links), channel=Channel.OPEN311.value, category=service.category or None,
        name=_name(_one(values, "first_name"), _one(values, "last_name"))[:60], phone=_one(values, "phone"),
        email=_one(values, "email"), language=get_language() or settings.LANGUAGE_CODE, **place)


# The fields of an intake by the names that the form has for them.
_NAMES: Final = {"lon": "long", "area": "address_id", "place_text": "address_string", "category": "service_code", "words": "description",
                 "attachments": "media"}


def _register(intake: Intake, caller: Caller, key: bytes | None, uploads: list[UploadedFile[Any]]) -> Registered:
    by = replace(caller.actor, scopes=frozenset({"register"}))  # what a key of this interface may do, and no more
    try:
        if not uploads:
            return register(intake=intake, by=by, key=key)
        with transaction.atomic():
            kept = tuple(files.store(file=cast(BinaryIO, one), name=one.name or "", size=one.size or 0, by=by)[0].pk
                         for one in uploads)
            # Sent again, the files have new ids: the words and the place say whether it is the same.
            made = register(intake=intake, by=by, key=key)
            if not made.replayed:
                files.claim(kept, made.case_id, by=by)
        return made
    except Invalid as error:
        raise Bad(error.message, fields={_NAMES.get(name, name): said for name, said in error.fields.items()}) from error


def key_of(request: HttpRequest, caller: Caller) -> bytes | None:
    """The name of this write from `Idempotency-Key`, apart for each key of the interface. Raises Bad."""
    said = request.META.get("HTTP_IDEMPOTENCY_KEY")
    if said is None:
        return None
    if not _IDEMPOTENCY.fullmatch(said):
        raise Bad(_("Idempotency-Key 须为 1–200 个可见的 ASCII 字符。"))
    return submission_key("open311", caller.name, said)


def uploads_of(request: HttpRequest) -> list[UploadedFile[Any]]:
    """Every file of a multipart form, whatever its field is called."""
    found = [one for _name, several in request.FILES.lists() for one in several if one.size]
    if len(found) > FILES:
        raise Bad(fields={"media": _("最多 %d 个。") % FILES})
    return found


def service_of(values: QueryDict) -> Service:
    """The service a request is for. Raises Bad when none is named, Absent for one there is not."""
    code = _one(values, "service_code")
    if not code:
        raise Bad(fields={"service_code": _("要提供 service_code。")})
    service = catalogue().services.get(code)
    if service is None:
        raise Absent(_("没有这个 service_code：%s") % code[:60])
    return service


def _notice(made: Registered, service: Service) -> str:
    if made.due_at is None or not service.category:
        return _("12345 热线已收到，由热线核定归哪个单位办。")
    return _("12345 热线已收到，最迟 %s前答复。") % narrative.day_and_time(made.due_at)


def post(request: HttpRequest, values: QueryDict, caller: Caller) -> tuple[dict[str, Any], bool]:
    """Register what was posted. The answer, and whether the same had been posted before."""
    service = service_of(values)
    key = key_of(request, caller)
    made = _register(intake_of(values, service), caller, key, uploads_of(request))
    answer: dict[str, Any] = ({"token": token_of(made)} if service.type == "batch"
                              else {"service_request_id": reference_of(made.number)})
    return answer | {"service_notice": _notice(made, service), "account_id": _one(values, "account_id")[:200] or None}, made.replayed


# ---------------------------------------------------------------- tokens: an id that is given once the hotline has read the matter

_TOKEN = re.compile(r"[0-9a-f]{40,400}")
_CONTEXT: Final = "open311:token"


def token_of(made: Registered) -> str:
    """A token that leads back to the case and says nothing of it: sealed, so that nothing has to be kept."""
    return encrypt(made.number, context=_CONTEXT).hex()


def numbered(token: str) -> tuple[str, bool] | None:
    """The id behind a token, and whether it may be told already: where the service is `batch`, once the hotline has taken the
    matter up. None for what is no token."""
    if not _TOKEN.fullmatch(token):
        return None
    try:
        number = decrypt(bytes.fromhex(token), context=_CONTEXT)
    except (KeyringError, ValueError):
        return None
    found = Case.objects.filter(number=number).values_list("state", "category__code").first()
    if found is None:
        return None
    state, code = found
    return reference_of(number), state != "registered" or type_of(code or "other") != "batch"


