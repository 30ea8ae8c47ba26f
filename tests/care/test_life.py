"""An entry's life: made with consent, visited, given to others, renewed, and gone without a trace when taken back."""

from __future__ import annotations

import uuid
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from lianxin.care import actions, queries
from lianxin.care.actions import Consent, a_year_after
from lianxin.care.models import CareAccess, CareEntry, CarePage, CareStep, CareVisit
from lianxin.care.sealing import Person, opened, opened_note
from lianxin.care.visiting import record_visit
from lianxin.cases.models import Case
from lianxin.kernel.clock import Frozen, now
from lianxin.kernel.errors import Conflict, Invalid, NotFound
from lianxin.organisations.models import RoleGrant
from tests.care.made import AREA, NEEDLES, SAID, Register, days
from tests.privacy.search import in_database

pytestmark = pytest.mark.django_db


def test_what_is_written_is_sealed_and_opens_again(register: Register) -> None:
    entry = register.entry()
    assert in_database(NEEDLES) == []
    assert opened(CareEntry.objects.get(pk=entry.pk)) == SAID
    assert "重光" not in repr(opened(entry))
    assert (entry.due_on, entry.absences, entry.unit_id) == (days(7), 0, register.world.units["bridge"].pk)
    other = register.entry(name="另一人")
    other.name = CareEntry.objects.get(pk=entry.pk).name
    with pytest.raises(Exception, match="another row"):
        opened(other, "name")


@pytest.mark.parametrize(("said", "field"), [
    ({"name": ""}, "name"), ({"address": "  "}, "address"), ({"purpose": "\n"}, "purpose"), ({"phone": "一二三"}, "phone"),
    ({"phone": "12"}, "phone"), ({"purpose": "长" * 501}, "purpose"), ({"name": "名" * 61}, "name"),
])
def test_a_fault_is_named_and_nothing_is_written(register: Register, said: dict[str, str], field: str) -> None:
    with pytest.raises(Invalid) as caught:
        register.entry(**said)
    assert list(caught.value.fields) == [field]
    assert not CareEntry.objects.exists()
    assert not CareStep.objects.exists()


@pytest.mark.parametrize(("change", "field"), [
    ({"until": date(2027, 11, 23)}, "consent_until"), ({"until": date(2026, 11, 22)}, "consent_until"),
    ({"on": date(2026, 11, 24)}, "consent_on"), ({"how": "nodded"}, "consent_how"), ({"how": "spoken"}, "witness"),
    ({"on": date(2025, 6, 1), "until": date(2026, 12, 1)}, "consent_until"),
])
def test_consent_is_for_a_year_at_most_and_has_its_proof(register: Register, change: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as caught:
        register.entry(consent=register.consent(**change))
    assert list(caught.value.fields) == [field]


def test_a_year_less_a_day(register: Register) -> None:
    assert a_year_after(date(2026, 11, 23)) == date(2027, 11, 22)
    assert a_year_after(date(2028, 2, 29)) == date(2029, 2, 28)
    assert a_year_after(date(2027, 3, 1)) == date(2028, 2, 29)
    spoken = register.entry(consent=register.consent(how="spoken", witness="见证人甲"))
    assert opened(spoken).witness == "见证人甲"
    assert opened(register.entry(consent=register.consent(how="paper", witness="多写的"))).witness == ""


@pytest.mark.parametrize("interval", [0, 93, -1])
def test_the_interval_has_its_limits(register: Register, interval: int) -> None:
    with pytest.raises(Invalid):
        register.entry(interval_days=interval)


def test_who_visits_is_a_grid_worker_of_the_unit_and_the_place_is_the_keepers(register: Register) -> None:
    for more, field in (({"visitor": "grid_west"}, "visitor"), ({"visitor": "bridge"}, "visitor"), ({"visitor": "lead"}, "visitor")):
        with pytest.raises(Invalid) as caught:
            register.entry(**more)  # type: ignore[arg-type]
        assert list(caught.value.fields) == [field]
    RoleGrant.objects.filter(staff=register.world.staff["keeper"]).update(area=register.world.areas["990101001"])
    assert register.entry(area=AREA).area_id == register.world.areas[AREA].pk
    with pytest.raises(Invalid) as caught:
        register.entry(area="990102")
    assert list(caught.value.fields) == ["area"]


def visit(register: Register, entry: CareEntry, outcome: str = "done", by: str = "grid", **more: Any) -> Any:
    return record_visit(by=register.by(by), pk=entry.pk, at=more.pop("at", now()), outcome=outcome, **more)


def test_visits_move_the_day_on(register: Register, monday: Frozen) -> None:
    entry = register.entry()
    monday.move(days=7)
    visit(register, entry, note="阉茂在家，都好")
    entry.refresh_from_db()
    assert entry.due_on == days(7)
    assert opened_note(CareVisit.objects.get()) == "阉茂在家，都好"
    assert in_database(NEEDLES) == []
    monday.move(days=7)
    visit(register, entry, "not_at_home")
    entry.refresh_from_db()
    assert (entry.due_on, entry.absences, entry.told) == (days(1), 1, "")
    monday.move(days=4)  # a Friday
    visit(register, entry, "not_at_home")
    entry.refresh_from_db()
    assert (entry.due_on, entry.absences, entry.told) == (days(3), 2, "not_at_home")
    assert queries.waiting(register.by("keeper")) == 1
    assert queries.waiting(register.by("keeper_west")) == 0
    queries.register(register.by("keeper"))
    assert queries.waiting(register.by("keeper")) == 1, "a list tells nothing"
    queries.file_of(register.by("keeper"), entry.pk)
    assert queries.waiting(register.by("keeper")) == 0, "read like a letter"


def test_met_after_all_is_nothing_to_tell(register: Register) -> None:
    entry = register.entry()
    visit(register, entry, "not_at_home")
    visit(register, entry, "not_at_home")
    assert queries.waiting(register.by("keeper")) == 1
    visit(register, entry, "done")
    assert queries.waiting(register.by("keeper")) == 0


def test_a_visit_that_arrives_late_stands_where_it_was_made(register: Register, monday: Frozen) -> None:
    entry = register.entry()
    monday.move(days=10)
    visit(register, entry, "done", at=now())
    visit(register, entry, "not_at_home", at=now() - timedelta(days=2))
    entry.refresh_from_db()
    assert (entry.due_on, entry.absences) == (days(7), 0)
    visit(register, entry, "done", at=now() + timedelta(hours=5))  # a clock that is wrong: not later than now
    assert CareVisit.objects.latest("at").at == now()


@pytest.mark.parametrize(("more", "field"), [
    ({"outcome": "slept"}, "outcome"), ({"outcome": "needs_help"}, "words"), ({"outcome": "needs_help", "words": " "}, "words"),
    ({"outcome": "done", "words": "多写的"}, "words"), ({"outcome": "done", "note": "长" * 501}, "note"),
])
def test_a_visits_faults_are_named(register: Register, more: dict[str, str], field: str) -> None:
    entry = register.entry()
    with pytest.raises(Invalid) as caught:
        visit(register, entry, **more)
    assert list(caught.value.fields) == [field]
    assert not CareVisit.objects.exists()
    assert not Case.objects.exists()


def test_help_becomes_an_ordinary_case_and_neither_side_knows_the_other(register: Register) -> None:
    entry = register.entry()
    done = visit(register, entry, "needs_help", note="阉茂发烧", words="花园社区有位老人发烧，需要送医。")
    assert (done.visit, done.case) == (True, True)
    case = Case.objects.get()
    assert (case.channel, case.words, case.registered_by_id, case.reporter_id) == (
        "field", "花园社区有位老人发烧，需要送医。", register.world.staff["grid"].pk, None)
    assert (case.area_id, case.source_id, case.source_system) == (None, "", "")
    where = {one.partition(":")[0] for one in in_database([str(entry.pk)])}
    assert where == {"public.care_careentry", "public.care_carestep", "public.care_carevisit"}
    assert not [one for one in in_database([str(case.pk), case.number]) if one.startswith("public.care_")]
    entry.refresh_from_db()
    assert (entry.told, entry.due_on) == ("needs_help", days(7))


def test_help_does_not_wait_for_the_register(register: Register) -> None:
    entry = register.entry()
    actions.withdraw(by=register.by("keeper"), pk=entry.pk)
    done = visit(register, entry, "needs_help", words="花园社区有位老人摔倒。")
    assert (done.visit, done.case) == (False, True)
    assert Case.objects.count() == 1
    assert not CareVisit.objects.exists()


@pytest.mark.parametrize("way", ["withdrawn", "given", "stand_in", "never"])
def test_a_visit_of_what_is_no_longer_theirs_is_a_conflict_that_says_forget(register: Register, way: str) -> None:
    entry = register.entry()
    keeper, staff = register.by("keeper"), register.world.staff
    if way == "withdrawn":
        actions.withdraw(by=keeper, pk=entry.pk)
    elif way == "given":
        actions.give(by=keeper, pk=entry.pk, version=1, to=staff["grid2"])
    elif way == "stand_in":
        actions.give(by=keeper, pk=entry.pk, version=1, to=staff["grid2"], until=days(3))
    else:
        entry.pk = uuid.uuid4()
    with pytest.raises(Conflict) as caught:
        visit(register, entry, note="阉茂")
    assert caught.value.code == ("care_gone" if way in ("withdrawn", "never") else "care_given")
    assert caught.value.current == {"forget": str(entry.pk)}
    assert not any(word in str(caught.value) + str(caught.value.current) for word in NEEDLES)
    assert not CareVisit.objects.exists()


def test_a_stand_in_visits_until_the_day_and_then_the_visitor_again(register: Register, monday: Frozen) -> None:
    entry = register.entry(interval_days=1)
    actions.give(by=register.by("keeper"), pk=entry.pk, version=1, to=register.world.staff["grid2"], until=days(2))

    def who() -> list[str]:
        return [name for name in ("grid", "grid2") if queries.to_visit(register.by(name), page=CarePage.VISITS)]

    assert who() == ["grid2"]
    monday.move(days=2)
    assert who() == ["grid2"]
    monday.move(days=1)
    assert who() == ["grid"]
    entry.refresh_from_db()
    actions.give(by=register.by("keeper"), pk=entry.pk, version=entry.version, to=register.world.staff["grid"])
    entry.refresh_from_db()
    assert (entry.stand_in_id, entry.stand_in_until) == (None, None)


def test_a_holiday_gives_all_of_ones_entries_at_once(register: Register) -> None:
    for _each in range(3):
        register.entry()
    other = register.entry(visitor="grid2")
    staff = register.world.staff
    done = actions.give_all(by=register.by("keeper"), visitor=staff["grid"], to=staff["grid2"], until=days(5))
    assert done == 3
    assert CareEntry.objects.filter(stand_in=staff["grid2"], stand_in_until=days(5)).count() == 3
    other.refresh_from_db()
    assert other.stand_in_id is None
    for to, field in (("grid", "to"), ("grid_west", "to"), ("lead", "to")):
        with pytest.raises(Invalid) as caught:
            actions.give_all(by=register.by("keeper"), visitor=staff["grid"], to=staff[to])
        assert list(caught.value.fields) == [field]
    with pytest.raises(Invalid):
        actions.give_all(by=register.by("keeper"), visitor=staff["grid"], to=staff["grid2"], until=days(-1))


def test_a_visitor_whose_post_ended_reads_nothing_more_and_the_keeper_sees_it(register: Register) -> None:
    entry = register.entry(interval_days=1)
    RoleGrant.objects.filter(staff=register.world.staff["grid"]).update(ended_at=now())
    assert queries.to_visit(register.by("grid"), page=CarePage.VISITS) == []
    assert queries.register(register.by("keeper")).counts["nobody"] == 1
    actions.give(by=register.by("keeper"), pk=entry.pk, version=1, to=register.world.staff["grid2"])
    assert queries.register(register.by("keeper")).counts["nobody"] == 0
    assert len(queries.to_visit(register.by("grid2"), page=CarePage.VISITS)) == 1


def test_what_is_held_is_made_right(register: Register, monday: Frozen) -> None:
    entry = register.entry(consent=register.consent(how="spoken", witness="见证人甲"))
    visit(register, entry)
    fixed = Person(name="改过的名", address="改过的地址", purpose="改过的话")
    actions.correct(by=register.by("keeper"), pk=entry.pk, version=1, person=fixed, area=register.world.areas[AREA], interval_days=3)
    entry.refresh_from_db()
    assert opened(entry) == Person("改过的名", "改过的地址", "", "", "改过的话", "见证人甲")
    assert entry.due_on == days(3)
    with pytest.raises(Conflict):
        actions.correct(by=register.by("keeper"), pk=entry.pk, version=1, person=fixed, area=register.world.areas[AREA],
                        interval_days=3)


def test_consent_is_asked_for_again_and_ends_when_it_is_not_given(register: Register, monday: Frozen) -> None:
    entry = register.entry(interval_days=7, consent=register.consent(until=days(20)))
    visit(register, entry)
    kept = register.entry(consent=register.consent(until=days(20)))
    assert queries.register(register.by("keeper"), only="consent").total == 2
    monday.move(days=20)
    assert len(queries.to_visit(register.by("grid"), page=CarePage.PHONE)) == 2
    monday.move(days=1)
    assert queries.to_visit(register.by("grid"), page=CarePage.PHONE) == [], "no visit without consent"
    line = queries.register(register.by("keeper")).lines[0]
    assert (line.consented, line.deleted_on) == (False, days(30))
    monday.move(days=9)
    actions.renew(by=register.by("keeper"), pk=kept.pk, version=1, consent=register.consent())
    assert len(queries.to_visit(register.by("grid"), page=CarePage.PHONE)) == 1
    monday.move(days=20)  # thirty days without consent: not yet
    assert actions.forget_ended(now()) == 0
    monday.move(days=1)
    assert actions.forget_ended(now()) == 1
    assert actions.forget_ended(now()) == 0
    assert list(CareEntry.objects.values_list("pk", flat=True)) == [kept.pk]
    last = CareStep.objects.filter(entry_id=entry.pk).latest("id")
    assert (last.kind, last.by_id) == ("lapsed", None)


def test_the_nightly_job_does_it(register: Register, monday: Frozen) -> None:
    from lianxin.care.tasks import forget_ended

    register.entry(consent=register.consent(until=days(1)))
    monday.move(days=32)
    forget_ended(timestamp=0)
    assert not CareEntry.objects.exists()


def hexes(entry: CareEntry) -> list[str]:
    """Every sealed value of an entry and its visits, as a dump shows it."""
    held = [getattr(entry, name) for name in ("name", "address", "phone", "trusted", "purpose", "witness")]
    held += list(CareVisit.objects.filter(entry=entry).values_list("note", flat=True))
    return [bytes(one).hex() for one in held if one is not None]


def test_withdrawn_is_gone_at_once_ciphertext_and_all(register: Register, monday: Frozen) -> None:
    entry = CareEntry.objects.get(pk=register.entry(consent=register.consent(how="spoken", witness="昭阳作噩")).pk)
    other = register.entry(name="别人")
    visit(register, entry, note="阉茂说好")
    visit(register, entry, "not_at_home", note="阉茂不在")
    queries.file_of(register.by("keeper"), entry.pk)
    sealed = hexes(entry)
    assert len(sealed) == 8
    assert len(in_database(sealed)) >= 8
    before = CareAccess.objects.filter(entry_id=entry.pk).count()
    actions.withdraw(by=register.by("keeper"), pk=entry.pk)
    assert in_database(sealed + NEEDLES) == []
    assert not CareEntry.objects.filter(pk=entry.pk).exists()
    assert CareAccess.objects.filter(entry_id=entry.pk).count() == before > 0
    assert [(one.kind, one.by_id) for one in CareStep.objects.filter(entry_id=entry.pk).order_by("id")] == [
        ("made", register.world.staff["keeper"].pk), ("withdrawn", register.world.staff["keeper"].pk)]
    assert CareEntry.objects.filter(pk=other.pk).exists()
    with pytest.raises(NotFound):
        actions.withdraw(by=register.by("keeper"), pk=entry.pk)


def test_the_bare_ledger_holds_no_person() -> None:
    assert {field.attname for field in CareStep._meta.concrete_fields} == {"id", "entry_id", "unit_id", "kind", "at", "by_id"}
    assert {field.attname for field in CareAccess._meta.concrete_fields} == {
        "id", "entry_id", "unit_id", "staff_id", "page", "at", "day"}
    assert not any(field.is_relation for field in (CareStep._meta.get_field("entry_id"), CareAccess._meta.get_field("entry_id")))


def test_every_reading_is_written_down(register: Register, monday: Frozen) -> None:
    entry = register.entry(interval_days=1)
    keeper = register.by("keeper")

    def read() -> list[tuple[str, str]]:
        return list(CareAccess.objects.filter(entry_id=entry.pk).order_by("at", "id").values_list("staff__username", "page"))

    assert read() == []
    queries.register(keeper)
    queries.register(keeper)
    queries.file_of(keeper, entry.pk)
    queries.file_of(keeper, entry.pk)
    queries.file_of(keeper, entry.pk, page=CarePage.PRINT)
    queries.to_visit(register.by("grid"), page=CarePage.PHONE)
    queries.to_visit(register.by("grid"), page=CarePage.PHONE)
    assert read() == [("keeper", "list"), ("keeper", "entry"), ("keeper", "entry"), ("keeper", "print"), ("grid", "phone")]
    monday.move(days=1)
    queries.register(keeper)
    assert read()[-1] == ("keeper", "list")
    assert len(read()) == 6


def test_a_search_by_name_reads_only_what_it_shows(register: Register) -> None:
    found, other = register.entry(name="旃蒙 协洽"), register.entry(name="别人")
    page = queries.register(register.by("keeper"), text="蒙协")
    assert [line.entry.pk for line in page.lines] == [found.pk]
    assert not CareAccess.objects.filter(entry_id=other.pk).exists()


def test_keys_are_turned_over_here_too(register: Register, tmp_path: Any, settings: Any) -> None:
    from lianxin.cases import keys
    from lianxin.kernel import crypto
    from lianxin.kernel.crypto import Keyring, key_id_of

    path = tmp_path / "keyring.json"
    Keyring.fresh().write(path)
    settings.LIANXIN_KEYRING = str(path)
    crypto.reload()
    entry = register.entry(consent=register.consent(how="spoken", witness="见证人甲"))
    visit(register, entry, note="都好")
    new = keys.rotate()
    assert keys.reseal_all().rows == 2
    assert set(keys.usage()) == {new}
    entry.refresh_from_db()
    assert key_id_of(bytes(entry.name)) == new
    assert opened(entry).witness == "见证人甲"
    assert opened_note(CareVisit.objects.get()) == "都好"
    crypto.reload()


def test_a_consent_is_a_date_not_an_instant(register: Register) -> None:
    entry = register.entry(consent=Consent(date(2026, 11, 1), "online", date(2027, 10, 31)))
    assert (entry.consent_on, entry.consent_until, entry.consent_how) == (date(2026, 11, 1), date(2027, 10, 31), "online")
    assert isinstance(entry.made_at, datetime)


def test_a_key_of_another_visit_is_a_conflict(register: Register) -> None:
    first, second, key = register.entry(), register.entry(), uuid.uuid4()
    visit(register, first, key=key)
    with pytest.raises(Conflict):
        visit(register, second, key=key)
    assert CareVisit.objects.count() == 1
