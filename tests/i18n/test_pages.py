"""Pages in English hold no Chinese, pages in Chinese no English: none is half translated.

The city of these tests has English names and a reporter who writes English, so whatever Chinese is found was left by
the program itself.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from functools import cache

import pytest
from django.apps import apps
from django.conf import settings
from django.test import Client, RequestFactory
from django.urls import Resolver404, URLPattern, URLResolver, get_resolver, resolve, reverse
from django.urls.converters import IntConverter
from django.utils.translation import override

from lianxin.cases import actions as a
from lianxin.cases.models import Case, Category, Event, Phrase
from lianxin.cases.narrative import headline, next_steps, said, standing
from lianxin.cases.reference import forget
from lianxin.faces import errors
from lianxin.kernel.clock import Frozen
from lianxin.kernel.crypto import keyring
from lianxin.kernel.ids import tracking_code
from lianxin.kernel.language import traditional
from lianxin.organisations.models import Staff, Unit
from lianxin.places.models import Area, City
from lianxin.quality import actions as q
from tests.i18n.reading import CHINESE, chinese_in, read
from tests.world import World

pytestmark = pytest.mark.django_db
WORDS = "The street lamp by the bridge has been out for three days."
SAID = {"words": WORDS, "name": "Reporter", "place_text": "by the bridge"}


@pytest.fixture
def english(world: World, monday: Frozen) -> World:
    """The small city with a name in English for everything, and staff who write their names in Latin letters."""
    for model, prefix in ((Area, "Area"), (Unit, "Unit"), (Category, "Category"), (Phrase, "Phrase")):
        for one in model.objects.all():
            one.name_en = f"{prefix} {one.code}"
            one.save()
    City.objects.update(name_en="Test City")
    for person in Staff.objects.all():
        person.name = person.username.title()
        person.save()
        world.staff[person.username] = person
    for code, unit in world.units.items():
        unit.refresh_from_db()
        world.units[code] = unit
    forget()
    return world


def lived(world: World, monday: Frozen) -> list[uuid.UUID]:
    """Cases in every state, with every kind of event that a person makes."""
    on = world.on
    registered = world.case(**SAID)
    accepted = world.case(**SAID)
    a.accept(on(accepted, "operator"), category="010102", area="990101001001")
    declined = world.case(**SAID)
    a.decline(on(declined, "operator"), route="court", explanation="For the court.")
    spot = world.case(**SAID)
    a.answer_on_the_spot(on(spot, "operator"), public_answer="It is open until six.", category="010103", means="phone")
    withdrawn = world.case(**SAID)
    a.withdraw(on(withdrawn, "operator"), reason="No longer needed.")
    objected = world.case(**SAID)
    a.accept(on(objected, "operator"), category="010102", area="990101001001", kind="complaint", urgency="normal")
    a.correct(on(objected, "operator"), category="010101", reason="Misheard.")
    a.dispatch(on(objected, "dispatcher"), lead_unit="urban", note="Please look.")
    a.redispatch(on(objected, "dispatcher"), lead_unit="water", reason="Theirs.")
    a.add_assisting(on(objected, "dispatcher"), assisting_units=["east", "west"])
    a.add_information(on(objected, "operator"), words="It flickers now.")
    a.refer_emergency(on(objected, "operator"), service="110")
    a.raise_return(on(objected, "water"), reason="not_ours", evidence="Lamps are not ours.", suggested_unit="urban")
    long = world.case(**SAID)
    a.accept(on(long, "operator"), category="010102", area="990101001001")
    a.dispatch(on(long, "dispatcher"), lead_unit="urban")
    dispatched = world.case(**SAID)
    a.accept(on(dispatched, "operator"), category="010101", area="990101001001")
    a.dispatch(on(dispatched, "dispatcher"), lead_unit="urban", assisting_units=["housing"])
    a.raise_return(on(long, "urban"), reason="not_ours", evidence="Not ours.", suggested_unit="housing")
    a.uphold_return(on(long, "dispatcher"), ruling="Agreed.")
    a.dispatch(on(long, "dispatcher"), lead_unit="housing", assisting_units=["urban"])
    a.raise_return(on(long, "housing"), reason="not_ours", evidence="Not ours.")
    a.reject_return(on(long, "dispatcher"), ruling="Yours.")
    a.sign(on(long, "housing"))
    a.assist_sign(on(long, "urban"))
    a.assist_reply(on(long, "urban"), private_note="Looked.")
    a.ask_colleague(on(long, "housing"), note="Who knows this site?")
    a.record_contact(on(long, "housing"), means="phone", reached=False)
    a.record_contact(on(long, "housing"), means="visit", reached=True, note="Was there.")
    in_hand = world.case(**SAID)
    a.accept(on(in_hand, "operator"), category="010102")
    a.dispatch(on(in_hand, "dispatcher"), lead_unit="urban")
    a.sign(on(in_hand, "urban"))
    a.hand_to_colleague(on(in_hand, "urban"), officer="urban2")
    a.reply(on(long, "housing"), public_answer="Work has stopped.", solved=True, private_note="Fined.")
    q.send_back(on(long, "reviewer"), reason="Since when?")
    a.reply(on(long, "housing"), public_answer="Work stopped at ten.", solved=False)
    replied = world.case(**SAID)
    a.accept(on(replied, "operator"), category="010102")
    a.dispatch(on(replied, "dispatcher"), lead_unit="urban")
    a.sign(on(replied, "urban"))
    a.reply(on(replied, "urban"), public_answer="Done.", solved=True, means="phone")
    q.approve(on(long, "reviewer"), note="Good.")
    q.record_callback_attempt(on(long, "callback"), outcome="no_answer")
    q.record_callback_attempt(on(long, "callback"), outcome="reached", solved=False, truthful=False,
                              satisfaction="dissatisfied", note="Still loud.")
    a.sign(on(long, "housing"))
    a.reply(on(long, "housing"), public_answer="Guarded now.", solved=True, means="phone")
    q.approve(on(long, "reviewer"))
    closed = long
    q.record_callback_attempt(on(closed, "callback"), outcome="reached", solved=True, truthful=True, satisfaction="basically")
    a.request_publication(on(closed, "operator"), title="Lamp", body="A lamp is out.")
    a.clear_publication(on(closed, "reviewer"), title="Lamp", body="A lamp is out.")
    q.close(on(closed, "callback"))
    callback = world.case(**SAID)
    a.accept(on(callback, "operator"), category="010102")
    a.dispatch(on(callback, "dispatcher"), lead_unit="urban")
    a.sign(on(callback, "urban"))
    a.reply(on(callback, "urban"), public_answer="Done.", solved=True, means="phone")
    q.approve(on(callback, "reviewer"))
    a.request_publication(on(callback, "operator"), title="Lamp", body="A lamp is out.")
    a.refuse_publication(on(callback, "reviewer"), reason="Names someone.")
    monday.move(days=1)
    return [registered, accepted, declined, spot, withdrawn, objected, dispatched, in_hand, replied, callback, closed]


def patterns(resolver: URLResolver, space: str = "", above: dict[str, object] | None = None) -> Iterator[tuple[str, dict[str, object]]]:
    """Every named address with its parts and their converters."""
    for one in resolver.url_patterns:
        parts = (above or {}) | dict.fromkeys(one.pattern.regex.groupindex) | one.pattern.converters
        if isinstance(one, URLResolver):
            yield from patterns(one, f"{space}{one.namespace}:" if one.namespace else space, parts)
        elif isinstance(one, URLPattern) and one.name:
            yield f"{space}{one.name}", parts


def addresses(values: dict[str, list[str]]) -> list[str]:
    """Every address of the project that these values fill: pages made later are read too. The telephone's page is the same for
    everybody, in both languages; what it says is drawn there, and read in `tests/field` and the journeys."""
    found: set[str] = set()
    for name, parts in patterns(get_resolver()):
        known = {key: ["1"] if isinstance(one, IntConverter) else values.get(key, []) for key, one in parts.items()}
        if not all(known.values()):
            continue
        for number in range(max(map(len, known.values()), default=1)):
            found.add(reverse(name, kwargs={key: some[number % len(some)] for key, some in known.items()}))
    return sorted(address for address in found if not address.startswith(("/api/", "/open311/", "/metrics", "/field/")))


OWN = ("/desk/cases/", "/desk/board/")


def view_of(path: str) -> str:
    """The name of what answers at an address; the address itself where nothing does."""
    try:
        return resolve(path.partition("?")[0]).view_name
    except Resolver404:
        return path


def pages_of(client: Client, language: str, paths: list[str]) -> Iterator[tuple[str, str]]:
    """Each page once. A view that refuses this person one address, or every address a GET, is not asked for the others: it would
    refuse them with the same page. Cases and boards are a person's own, one is shown and another not: each is asked for."""
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = language
    refusing: set[str] = set()
    for path in paths:
        view = view_of(path)
        if view in refusing:
            continue
        response = client.get(path, headers={"accept-language": language})  # frames in other sites' pages see no cookie
        assert response.status_code < 500, path
        if response.status_code == 405 or (response.status_code in (403, 404) and not path.startswith(OWN)):
            refusing.add(view)
        if response.get("Content-Type", "").startswith("text/html") and response.content:
            yield path, response.content.decode()


def values_for(cases: list[uuid.UUID]) -> dict[str, list[str]]:
    from lianxin.cases.states import TABLE
    from lianxin.desk.boards import BOARDS

    return {
        "case_id": [str(pk) for pk in cases], "code": [board.code for board in BOARDS],
        "name": ["add", "withdraw", "rate", "publish"], "pk": [str(uuid.uuid4())],
        "number": list(Case.objects.values_list("number", flat=True)), "action": [row.action for row in TABLE],
    }


def half_translated(client: Client, paths: list[str]) -> list[str]:
    return [f"{path}: {piece}" for path, page in pages_of(client, "en", paths) for piece in chinese_in(page)]


# Who opens which forms in every state of a case: those whose work it is, and the supervisor, who is told that it is not, all of them.
FORMS = {
    "operator": ("accept", "decline"), "dispatcher": ("dispatch",), "reviewer": (), "callback": ("record_callback_attempt",),
    "supervisor": ("accept", "dispatch", "raise_return", "reply", "record_callback_attempt", "decline"), "admin": (),
    "urban": ("raise_return", "reply"), "grid": (),
}


def test_the_desk_in_english_holds_no_chinese(english: World, monday: Frozen) -> None:
    cases = lived(english, monday)
    paths = [path for path in addresses(values_for(cases)) if path.startswith(("/desk/", "/accounts/"))]
    paths += ["/desk/board/all/?state=accepted&due=overdue&category=01&county=990101&q=lamp", "/desk/board/all/?q=nothing"]
    paths = [path for path in paths if "logout" not in path and not path.endswith(".pdf")]
    assert len(paths) > 60
    found: list[str] = []
    for username, actions in FORMS.items():
        client = Client()
        client.force_login(english.staff[username])
        forms = [reverse("desk:act", args=[case, action]) for case in cases for action in actions]
        found += [f"{username} {one}" for one in half_translated(client, list(dict.fromkeys(paths + forms)))]
    assert not found, "\n".join(found)


def test_the_desk_answers_in_english(english: World, monday: Frozen) -> None:
    """What the desk says to bad input and after an action."""
    case = lived(english, monday)[0]
    client = Client()
    client.force_login(english.staff["operator"])
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    found: list[str] = []
    for path, values in (
        (reverse("desk:act", args=[case, "accept"]), {"category": "9999", "version": "1"}),
        (reverse("desk:act", args=[case, "accept"]), {}),
        (reverse("desk:act", args=[case, "decline"]), {"route": "x"}),
        (reverse("desk:call"), {"do": "register"}),
        (reverse("desk:call"), {"do": "register", "words": WORDS, "category": "010102"}),
        (reverse("desk:call"), {"do": "answer", "words": WORDS}),
        (reverse("desk:bulk", args=["queue"]), {"action": "accept", "case": [str(case)]}),
        (reverse("desk:save_filter", args=["all"]), {"name": ""}),
    ):
        response = client.post(path, values, follow=True)
        if response.get("Content-Type", "").startswith("text/html"):
            found += [f"{path}: {piece}" for piece in chinese_in(response.content.decode())]
    assert not found, "\n".join(found)


def test_the_portal_in_english_holds_no_chinese(english: World, monday: Frozen) -> None:
    cases = lived(english, monday)
    paths = [path for path in addresses(values_for(cases)) if not path.startswith(("/desk/", "/mine"))]
    paths += ["/say/?category=010101", "/public/?q=lamp", "/public/?state=closed", "/no/such/page/", "/answer/"]
    assert half_translated(Client(), [path for path in paths if "logout" not in path]) == []


def test_the_reporters_page_in_english_in_every_state(english: World, monday: Frozen) -> None:
    found: list[str] = []
    for number, case in enumerate(lived(english, monday)):
        client = Client(REMOTE_ADDR=f"10.0.0.{number}")  # codes may be tried a few times a minute
        client.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
        opened = client.post("/track/", {"code": tracking_code(keyring().tracking, case)}, follow=True)
        assert opened.status_code == 200
        assert WORDS in " ".join(read(opened.content.decode()))
        pages = [opened.content.decode()]
        for deed in re.findall(r'href="(/mine/[a-z]+/)"', pages[0]):
            pages.append(client.get(deed).content.decode())
            pages.append(client.post(deed, {}, follow=True).content.decode())
        found += [f"{Case.objects.get(pk=case).state}: {piece}" for page in pages for piece in chinese_in(page)]
    assert not found, "\n".join(found)


def test_saying_it_wrongly_is_answered_in_english(english: World) -> None:
    client = Client()
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    found: list[str] = []
    for values in ({}, {"words": WORDS, "phone": "12"}, {"words": "x" * 13_000}, {"words": WORDS, "email": "no"},
                   {"words": WORDS, "confidential": "on", "publish": "on"}, {"words": WORDS, "lon": "1", "lat": "2"}):
        response = client.post("/say/", {"go": "send", **values}, follow=True)
        found += chinese_in(response.content.decode())
    found += chinese_in(client.post("/track/", {"code": "NOSUCHCODE"}, follow=True).content.decode())
    assert not found, "\n".join(found)


def test_sentences_about_a_case_in_english(english: World, monday: Frozen) -> None:
    lived(english, monday)
    with override("en"):
        for case in Case.objects.select_related("lead_unit"):
            for reachable in (True, False):
                lines = [headline(case), standing(case), *next_steps(case, reachable=reachable)]
                assert not CHINESE.search(" ".join(lines))
        for event in Event.objects.select_related("unit", "actor"):
            for internal in (True, False):
                line = said(event, internal=internal)
                assert not CHINESE.search(line), event.action
                assert line[:1].isupper(), line
                assert "%(" not in line


def test_faults_are_told_in_english(rf: RequestFactory) -> None:
    with override("en"):
        for answer in (
            errors.bad_request(rf.get("/")), errors.permission_denied(rf.get("/desk/")), errors.not_found(rf.get("/x")),
            errors.too_large(rf.post("/say/")), errors.csrf_failure(rf.post("/say/", {"words": "lamp"})),
            errors.server_error(rf.post("/say/", {"words": "lamp"})), errors.outage(rf.post("/say/", {"words": "lamp"})),
        ):
            assert chinese_in(answer.content.decode()) == []


@pytest.mark.parametrize(("method", "path", "body"), [
    ("get", "/api/v1/cases", None), ("post", "/api/v1/cases", {}), ("get", "/api/v1/nothing", None),
])
def test_problem_details_are_in_english(english: World, method: str, path: str, body: dict[str, str] | None) -> None:
    from lianxin.organisations.models import ApiToken, token_digest

    secret = ApiToken.new_secret()
    person = english.staff["operator"]
    ApiToken.objects.create(name="test", unit=person.unit, staff=person, scopes=["*"], digest=token_digest(secret), hint="xxxx")
    for headers in ({}, {"HTTP_AUTHORIZATION": f"Bearer {secret}"}):
        response = getattr(Client(), method)(path, *([body] if body is not None else []), content_type="application/json",
                                             HTTP_ACCEPT_LANGUAGE="en", **headers)
        if response.status_code >= 400:
            assert not CHINESE.search(response.content.decode())


def test_every_choice_has_an_english_label() -> None:
    with override("en"):
        found = [
            f"{model.__name__}.{field.name}: {label}"
            for model in apps.get_models() if model.__module__.startswith("lianxin.")
            for field in model._meta.get_fields() for _value, label in getattr(field, "choices", None) or ()
            if CHINESE.search(str(label))
        ]
    assert not found, "\n".join(found)


def test_texts_to_the_reporter_in_english() -> None:
    from lianxin.cases.messages import text_of
    from lianxin.cases.models import Notification

    case = Case(number="2026-000001")
    for template in ("registered", "declined", "answered", "dispatched", "replied", "reopened", "closed"):
        note = Notification(case=case, template=template,
                            values={"number": case.number, "unit": "市城管局", "unit_en": "Urban Management", "due": ""})
        assert not CHINESE.search(text_of(note, case, language="en"))
        assert CHINESE.search(text_of(note, case, language="zh-hans"))


# Words that stay as they are in Chinese too.
LATIN = frozenset({"API", "Cookie", "English", "HTML", "JPEG", "JavaScript", "Lianxin", "Open311", "Operator", "PDF", "Passkey",
                   "TOTP", "URL", "WebAuthn", "hotline", "operator"})


@pytest.mark.parametrize("language", ["zh-hans", "zh-hant"])
def test_sign_in_pages_in_chinese_hold_no_english(world: World, language: str) -> None:
    """The library's own pages: sign-in, password, two-step sign-in, passkeys, sessions."""
    person = world.staff["operator"]
    person.set_password("correct-horse-9")
    person.save()
    found: list[str] = []
    signed_in = Client()
    for path, page in pages_of(Client(), language, ["/accounts/login/", "/accounts/password/reset/", "/accounts/inactive/"]):
        found += [f"{path}: {piece}" for piece in _latin(page)]
    signed_in.post("/accounts/login/", {"login": "operator", "password": "correct-horse-9"})
    assert signed_in.session.get("_auth_user_id")
    paths = [path for path in addresses({}) if path.startswith("/accounts/") and "login" not in path and "logout" not in path]
    for path, page in pages_of(signed_in, language, paths):
        found += [f"{path}: {piece}" for piece in _latin(page)]
    signed_in.cookies[settings.LANGUAGE_COOKIE_NAME] = language
    for path, values in (
        ("/accounts/login/", {}), ("/accounts/login/", {"login": "operator", "password": "wrong"}),
        ("/accounts/password/change/", {"oldpassword": "x", "password1": "short", "password2": "other"}),
        ("/accounts/2fa/totp/activate/", {"code": "1"}),
    ):
        client = Client() if "login" in path else signed_in
        client.cookies[settings.LANGUAGE_COOKIE_NAME] = language
        page = client.post(path, values, follow=True).content.decode()
        found += [f"{path}: {piece}" for piece in _latin(page)]
    assert not found, "\n".join(found)


def _latin(page: str) -> list[str]:
    """Pieces with a run of two Latin words, or a word that is not one of LATIN."""
    pieces = [piece for piece in read(page) if not piece.startswith(("/", "http", "otpauth", "data:", "width=", "{", "desk"))]
    return [piece for piece in pieces
            if (any(word not in LATIN for word in re.findall(r"[A-Za-z][A-Za-z0-9]{3,}", piece)) and " " in piece)
            or (re.fullmatch(r"[A-Z][a-z]{3,}", piece) and piece not in LATIN)]


def _simplified(page: str) -> list[str]:
    """Pieces with a character that only simplified Chinese has."""
    return [piece for piece in read(page) if any(_only_simplified(one) for one in piece)]


@cache
def _only_simplified(one: str) -> bool:
    return one not in "台准“”‘’" and traditional(one) != one


def test_pages_in_traditional_characters_hold_no_simplified_ones(world: World, monday: Frozen) -> None:
    """Names of the city's own data among them: units, areas, categories. Pages of the portal are the same for all staff."""
    cases = lived(world, monday)
    paths = [path for path in addresses(values_for(cases)) if "logout" not in path and not path.endswith(".pdf")]
    found: list[str] = []
    for username in ("supervisor", "dispatcher", "urban"):
        client = Client()
        client.force_login(world.staff[username])
        mine = paths if username == "supervisor" else [path for path in paths if path.startswith("/desk/")]
        found += [f"{username} {path}: {piece}" for path, page in pages_of(client, "zh-hant", mine) for piece in _simplified(page)]
    assert not found, "\n".join(found)


def test_the_reporters_page_in_traditional_characters(world: World, monday: Frozen) -> None:
    found: list[str] = []
    for number, case in enumerate(lived(world, monday)):
        client = Client(REMOTE_ADDR=f"10.0.1.{number}")
        client.cookies[settings.LANGUAGE_COOKIE_NAME] = "zh-hant"
        opened = client.post("/track/", {"code": tracking_code(keyring().tracking, case)}, follow=True)
        found += _simplified(opened.content.decode())
    assert not found, "\n".join(found)
