"""Every event in a whole sentence, for the desk and for the reporter, in both languages, without inner names."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta

import pytest
from django.utils.translation import override

from lianxin.cases import narrative, queries, reference
from lianxin.cases.actions import History, Intake, decline, register_many
from lianxin.cases.actions.intake import rows_for
from lianxin.cases.actions.outside import STAGES, note_outside
from lianxin.cases.actions.recomputing import recompute_due
from lianxin.cases.engine import On
from lianxin.cases.handing_over import STEPS
from lianxin.cases.models import AssignmentState, Case, Category, Clock, Event, EventText, Phrase, State
from lianxin.cases.retention import anonymise_due
from lianxin.cases.states import BY_ACTION
from lianxin.cases.sweep import sweep
from lianxin.kernel.clock import Frozen
from lianxin.organisations.actors import SYSTEM
from lianxin.organisations.models import Staff, Unit
from lianxin.places.models import Area
from lianxin.quality.campaigns import end
from lianxin.quality.models import CampaignDraw
from lianxin.quality.tasks import settle
from lianxin.supervision import listing
from lianxin.supervision.actions import delist_supervision
from tests.cases.desks import link
from tests.cases.ways import ACTIONS, at_state, take
from tests.quality.test_campaigns import not_drawn
from tests.world import World

pytestmark = pytest.mark.django_db
LANGUAGES = ("zh-hans", "zh-hant", "en")
SNAKE = re.compile(r"[a-z]+_[a-z]+")
INNER = {str(state) for state in (*State, *AssignmentState)} - {"closed", "ended", "registered", "accepted"}
HAN = re.compile(r"[一-鿿]")


def _english_names() -> None:
    """Names in English, so that any Chinese left in an English sentence is the sentence's own."""
    Unit.objects.update(name_en="the Bureau")
    Area.objects.update(name_en="Garden Village")
    Category.objects.update(name_en="Street lights")
    for number, person in enumerate(Staff.objects.all(), 1):
        person.name = f"Person N{number}"
        person.save()
    reference.forget()


def _all_taken(world: World) -> None:
    for action in ACTIONS:
        sources = BY_ACTION[action].sources
        take(world, at_state(world, State.IN_HAND if State.IN_HAND in sources else sources[0], before=action), action)


def _at_another_desk(world: World) -> None:
    """Offered in every way, everything that may be said of it, refused, taken back with and without a category, and closed with
    one merged under it."""
    for fields in ({"mode": "joint"}, {"basis": "unclear"}, {"basis": "emergency", "wish": "against"}, {}):
        case_id = at_state(world, State.ACCEPTED)
        take(world, case_id, "offer_handover", **fields)
        for step in STEPS:
            for action in ("note_handover", "tell_handover"):
                link(case_id, action, step=step)
        link(case_id, "note_handover", step="negotiated", by=world.actor("operator"))
        link(case_id, "tell_handover", step="refused", linkage="")
    for category in (None, "010102"):
        case_id = world.case()
        take(world, case_id, "offer_handover")
        link(case_id, "release_handover")
        link(case_id, "take_back_handover", category=category)
    head = at_state(world, State.ACCEPTED)
    take(world, head, "merge")
    take(world, head, "offer_handover")
    link(head, "release_handover")
    link(head, "close_handover")


def _clocks_speak(world: World, monday: Frozen) -> None:
    """A pause of each kind, ended in each way; notices at each level."""
    case_id = at_state(world, State.IN_HAND)
    take(world, case_id, "record_contact")
    for by in ("reporter", "operator"):
        take(world, case_id, "suspend", waits_for="reporter")
        take(world, case_id, "add_information", by=by)
        if by == "reporter":
            take(world, case_id, "ask_extension", minutes=90)
            take(world, case_id, "grant_extension")
    paused = at_state(world, State.IN_HAND)
    take(world, paused, "suspend")
    start = monday.move()
    for hours in (4.5, 72, 120, 120, 168):
        monday.move(hours=hours)
        sweep()
    monday.set(start)


def _by_the_system(world: World, monday: Frozen) -> None:
    """A matter on the public list and off it, a date that is fixed, a case that nobody called or rated."""
    case_id = at_state(world, State.IN_HAND)
    one = listing.issue(
        by=world.actor("supervisor"), title="反复停水", criteria="不停水。", unit="urban", leader_name="李某", leader_title="副局长",
        due_on=date(2026, 12, 31), cases=[Case.objects.get(pk=case_id).number])
    numbers = {"listing": str(one.pk), "year": one.year, "serial": one.serial}
    delist_supervision(On(case_id, SYSTEM), **numbers)
    Clock.objects.filter(case=case_id, kind="resolve").update(provisional=True)
    recompute_due(On(case_id, SYSTEM))
    for stage in STAGES:
        note_outside(On(case_id, SYSTEM), stage=stage, system="urban.system", name="城管系统", name_en="Urban system", reference="N1")
    draw = CampaignDraw.objects.get(case=not_drawn(world))
    start = monday.move()
    assert draw.rate_until is not None
    monday.set(draw.rate_until)
    settle(draw.rate_until)
    monday.set(start)
    end(by=world.actor("supervisor"), campaign_id=draw.campaign_id)


@pytest.fixture
def everything(world: World, monday: Frozen) -> list[Event]:
    """Every action of the table, and its variants."""
    _english_names()
    _all_taken(world)
    _at_another_desk(world)
    hand = at_state(world, State.IN_HAND)
    take(world, hand, "record_contact", reached=False)
    take(world, hand, "record_contact", means="visit")
    take(world, hand, "correct", area="990101", kind="report", urgency="urgent")
    take(world, hand, "reply", solved=False)
    take(world, hand, "approve")
    for outcome in ("no_answer", "busy", "refused", "wrong_number"):
        take(world, hand, "record_callback_attempt", outcome=outcome, solved=None, truthful=None, satisfaction="")
    take(world, hand, "record_callback_attempt", solved=False, truthful=False, satisfaction="dissatisfied")
    for step in ("sign", "reply", "approve"):  # redone by itself
        take(world, hand, step)
    take(world, hand, "rate", solved=False, satisfaction="dissatisfied")
    take(world, hand, "close", by="supervisor")
    _clocks_speak(world, monday)
    anonymous = world.case(phone="", name="")
    for step in ("accept", "dispatch", "sign"):
        take(world, anonymous, step)
    take(world, anonymous, "record_contact", means="not_left")
    take(world, anonymous, "withdraw", by="reporter")
    for last in ("reply", "withdraw"):  # a family that is answered, and one whose master is taken back
        head = at_state(world, State.ACCEPTED)
        for step in ("merge", "merge", "dispatch", "sign", last):
            take(world, head, step)
        if last == "reply":
            take(world, head, "approve")
    rows, _made = rows_for(
        Intake(words="旧系统里的事。", category="010102", accept=True, source_system="old", source_id="1", channel="import",
               registered_at=monday.move() - timedelta(days=9),
               history=History(closed_at=monday.move() - timedelta(days=2), closing_note="已办。")), by=SYSTEM)
    register_many(rows=[rows])
    _by_the_system(world, monday)  # last: a campaign decides for what comes after it
    anonymise_due(monday.move(days=4000))
    events = list(Event.objects.select_related("unit", "actor").order_by("id"))
    assert {event.action for event in events} == set(BY_ACTION)
    return events


def test_every_event_is_said_in_whole_sentences(everything: list[Event]) -> None:
    people = set(Staff.objects.values_list("name", flat=True))
    for event in everything:
        for internal in (True, False) if BY_ACTION[event.action].public else (True,):
            for language in LANGUAGES:
                with override(language):
                    said = narrative.said(event, internal=internal)
                where = f"{event.action} {language} {'inside' if internal else 'outside'}: {said}"
                assert said.endswith(("。", "：", ".", ":")), where
                assert not SNAKE.search(said), where
                assert "%" not in said, where
                assert "None" not in said, where
                if language == "en":
                    assert not HAN.search(said), where
                else:
                    assert not INNER & set(re.findall(r"[a-z]+", said)), where
                named = [name for name in people if name in said]
                assert bool(named) == (internal and event.actor_id is not None and event.action != "close_imported"), where
    # And the public side tells no name and no private note.
    private = set(EventText.objects.filter(public=False, anonymised_at__isnull=True).values_list("body", flat=True))
    for case in Case.objects.all():
        for entry in queries.timeline(case, public_only=True):
            assert BY_ACTION[entry.event.action].public
            assert entry.actor_name == ""
            for text in entry.texts.values():
                assert text not in private
                assert not [name for name in people if name in text]


def test_who_could_not_be_contacted_is_not_told_that_they_were(world: World, monday: Frozen) -> None:
    case_id = world.case(phone="", name="")
    for step in ("accept", "dispatch", "sign"):
        take(world, case_id, step)
    done = take(world, case_id, "record_contact", means="not_left")
    event = Event.objects.select_related("unit", "actor").get(pk=done.event_id)
    assert narrative.said(event, internal=False) == "您没有留联系方式，市城管局直接去办，结果写在这里。"
    assert narrative.said(event, internal=True) == "市城管局 urban甲记下：诉求人没有留联系方式。"


def test_notes_are_private_and_answers_are_public(world: World, monday: Frozen) -> None:
    _all_taken(world)
    fields = {(text.event.action, text.field, text.public)
              for text in EventText.objects.select_related("event")}
    assert {one for one in fields if one[2]} == {
        ("decline", "explanation", True), ("answer_on_the_spot", "public_answer", True), ("reply", "public_answer", True),
        ("settle_on_the_spot", "public_answer", True),
        ("suspend", "words", True), ("grant_extension", "explanation", True), ("contest", "words", True),
        ("reopen", "reason", True), ("close", "explanation", True), ("rate", "words", True),
        ("withdraw", "reason", True), ("add_information", "words", True), ("refuse_publication", "reason", True),
    }
    assert {name for _action, name, public in fields if not public} == {
        "note", "reason", "evidence", "ruling", "basis", "private_note", "demand", "answer"}


def test_an_answer_is_not_shown_before_it_is_approved(world: World, monday: Frozen) -> None:
    case_id = at_state(world, State.REPLIED)
    case = Case.objects.get(pk=case_id)
    told = [text for entry in queries.timeline(case, public_only=True) for text in entry.texts.values()]
    assert "已责令停工。" not in told
    take(world, case_id, "send_back")
    told = [text for entry in queries.timeline(case, public_only=True) for text in entry.texts.values()]
    assert "没有写明何时停工。" not in told


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("state", list(State))
def test_where_a_case_stands_is_said_without_inner_names(world: World, monday: Frozen, language: str,
                                                         state: State) -> None:
    _english_names()
    Phrase.objects.update(name_en="Litigation")
    case_id = at_state(world, state)
    with override(language):
        for late in (False, True):
            if late:
                monday.move(days=30)
            case = Case.objects.select_related("lead_unit").get(pk=case_id)
            for one in (narrative.standing(case), narrative.headline(case),
                        *narrative.next_steps(case, reachable=True), *narrative.next_steps(case, reachable=False)):
                assert one
                assert not SNAKE.search(one), one
                assert "%" not in one, one
                if language == "en":
                    assert not HAN.search(one), one
                else:
                    assert not re.search("[a-z]{3,}", one.replace("the Bureau", "")), one


def test_a_day_is_said_with_its_year_when_it_is_another(monday: Frozen) -> None:
    at = datetime.fromisoformat("2026-11-26T17:30:00+08:00")
    with override("zh-hans"):
        assert narrative.day_and_time(at) == "11 月 26 日（周四）17:30"
        assert narrative.day_and_time(at.replace(year=2027)).startswith("2027 年 11 月 26 日")
        assert narrative.day_and_time(None) == ""
    with override("en"):
        assert narrative.day_and_time(at) == "Thu 26 Nov, 17:30"
        assert "2027" in narrative.day_and_time(at.replace(year=2027))


def test_a_declined_reporter_reads_what_the_route_is(world: World, monday: Frozen) -> None:
    Phrase.objects.filter(code="court").update(words="请向人民法院起诉。", words_en="Bring it before the court.")
    case_id = world.case()
    decline(world.on(case_id, "operator"), route="court", explanation="这是合同纠纷。")
    event = Event.objects.select_related("unit", "actor").get(case=case_id, action="decline")
    assert narrative.said(event, internal=False).endswith("该走的途径是：诉讼。 请向人民法院起诉。")
    with override("en"):
        assert narrative.said(event, internal=False).endswith("Litigation. Bring it before the court.")
    assert "起诉" not in narrative.said(event, internal=True)
