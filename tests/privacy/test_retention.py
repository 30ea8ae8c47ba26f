"""Every personal field has a class; when its days are over nothing of the person is left, and the log still tells the case."""

from __future__ import annotations

import io
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.core.management import call_command
from django.db import OperationalError, connection, models
from django.utils import timezone
from psycopg.errors import LockNotAvailable

from lianxin.cases import actions as a
from lianxin.cases import files, housekeeping, retention
from lianxin.cases.models import (
    Attachment,
    Case,
    Event,
    EventText,
    Notification,
    PublicVersion,
    Reporter,
    RetentionClass,
    Submission,
)
from lianxin.cases.rebuild import differences
from lianxin.kernel.clock import Frozen, now
from lianxin.organisations.actors import reporter_for
from lianxin.quality import actions as q
from tests.files import samples
from tests.privacy.search import in_database, in_files
from tests.world import World

SAID = {
    "name": "屠维大荒落", "phone": "13711239876", "address": "柔兆里十二号", "email": "tuwei@example.cn",
    "words": "我是屠维大荒落，家住柔兆里十二号，楼下半夜打桩，电话 13711239876。", "title": "柔兆里半夜打桩",
    "place_text": "柔兆里十二号楼下", "lon": 113.123456, "lat": 29.123456,
}
NEEDLES = ["屠维大荒落", "13711239876", "柔兆里", "tuwei@example.cn", "113.123456", "29.123456", "阏逢"]

# Free text of staff and units that no reporter stands in: codes, names of offices, of tables, of staff themselves; what is
# published of a listed matter; figures. Words about one case lie with its events.
REFERENCE = {
    "organisations", "places", "knowledge.Article", "knowledge.Version", "knowledge.Term", "knowledge.SynonymGroup", "knowledge.Use",
    "analysis", "reports", "supervision",
    "triage.LearntModel",
    "cases.DutyLimit", "cases.NoticeRule", "cases.Notice",
    "cases.Category", "cases.CatalogueVersion", "cases.CatalogueRule", "cases.TimeLimit", "cases.Phrase",
    "linkage.Partner", "linkage.PartnerSecret", "linkage.Mapping", "linkage.MappingChange", "linkage.Term", "linkage.HandoverLimit",
    "desk.SavedFilter", "quality.Rating", "quality.Review", "quality.CallbackAttempt", "quality.Contest", "quality.Campaign",
    "quality.CampaignDraw", "quality.ChecklistItem", "patrols.Form", "patrols.FormVersion", "patrols.Round",
    "services", "exchange.System", "exchange.Service", "exchange.Mapping", "exchange.Change",
}
FREE = (models.CharField, models.TextField, models.BinaryField, models.JSONField, models.FloatField, models.BigIntegerField)


def free_fields() -> dict[str, models.Field[Any, Any]]:
    """Every column of our own tables that can hold more than a choice, a time, a number of its own or a reference."""
    from django.contrib.postgres.fields import ArrayField

    found = {}
    for model in apps.get_models():
        label = f"{model._meta.app_label}.{model._meta.object_name}"
        if not model.__module__.startswith("lianxin.") or {label, model._meta.app_label} & REFERENCE:
            continue
        for field in model._meta.concrete_fields:
            if isinstance(field, (*FREE, ArrayField)) and not field.choices and not isinstance(field, models.AutoField):
                found[f"{label}.{field.attname}"] = field
    return found


def test_every_free_field_has_a_retention_class_or_a_reason() -> None:
    named = retention.PERSONAL.keys() | retention.BY_CONSENT.keys() | retention.IMPERSONAL.keys()
    assert len(named) == len(retention.PERSONAL) + len(retention.BY_CONSENT) + len(retention.IMPERSONAL)
    fields = free_fields()
    assert sorted(fields.keys() - named) == [], "say in cases/retention.py how long it is kept, or why it is not personal"
    assert sorted(named - fields.keys()) == [], "named in cases/retention.py, but there is no such field"
    assert all(retention.IMPERSONAL.values())


def test_every_class_has_its_days(settings: Any) -> None:
    counted = set(RetentionClass.values) - {RetentionClass.LEDGER}
    assert set(settings.LIANXIN_RETENTION_DAYS) == counted
    for model in (Reporter, EventText, Attachment, PublicVersion, Notification):
        field = model._meta.get_field("retention_class")
        label = f"cases.{model.__name__}."
        assert {kind for name, kind in retention.PERSONAL.items() if name.startswith(label)} == {field.default}


def lived(world: World, at: Frozen, **more: Any) -> Any:
    """A case taken to its end, with everything a case may hold."""
    case_id = world.case(**(SAID | more))
    on = world.on
    from lianxin.cases.engine import On

    own = On(case_id, reporter_for(case_id))
    photo, _offered = files.store(file=io.BytesIO(samples.photo(tags=samples.exif())), name="屠维大荒落家.jpg", size=1,
                                  by=reporter_for(case_id))
    a.attach(own, attachments=[photo.pk])
    a.add_information(own, words="昨晚阏逢也听见了，柔兆里的人都知道。")
    a.request_publication(own, title="柔兆里打桩", body="柔兆里半夜打桩。")
    a.accept(on(case_id, "operator"), category="010102", area="990101001001")
    a.ask_colleague(on(case_id, "operator"), note="屠维大荒落已来电三次。")
    a.dispatch(on(case_id, "dispatcher"), lead_unit="housing", note="请联系屠维大荒落 13711239876")
    at.move(minutes=30)
    a.sign(on(case_id, "housing"))
    a.record_contact(on(case_id, "housing"), means="phone", reached=True, note="屠维大荒落说仍在施工")
    a.reply(on(case_id, "housing"), public_answer="屠维大荒落您好，已责令停工。", solved=True, private_note="住柔兆里")
    q.approve(on(case_id, "reviewer"))
    q.record_callback_attempt(on(case_id, "callback"), outcome="reached", solved=True, satisfaction="satisfied",
                              note="阏逢接的电话")
    q.close(on(case_id, "callback"))
    for event in Event.objects.filter(case_id=case_id):
        from lianxin.cases.messages import announce_event

        announce_event(str(event.pk))
    return case_id


def night(commits: Any) -> dict[str, int]:
    with commits(execute=True):
        return housekeeping.keep_house(now())


@pytest.mark.django_db
def test_when_the_days_are_over_nothing_is_left_and_the_log_still_holds(
    world: World, monday: Frozen, disk: Path, django_capture_on_commit_callbacks: Any
) -> None:
    case_id, open_id = lived(world, monday), world.case(words="还没办完的事", name="未完")
    before = [(event.pk, event.action, event.digests) for event in Event.objects.filter(case_id=case_id)]
    assert len(in_database(NEEDLES)) > 5
    assert [path for path in disk.rglob("*") if path.is_file()]
    monday.move(days=1094)
    assert night(django_capture_on_commit_callbacks)["anonymised"] == 0, "not a day early"
    assert in_database(["13711239876"])
    monday.move(days=2)
    assert night(django_capture_on_commit_callbacks)["anonymised"] == 1

    assert in_database(NEEDLES) == []
    assert [path for path in disk.rglob("*") if path.is_file()] == []
    assert in_files([disk], NEEDLES) == []
    case = Case.objects.get(pk=case_id)
    assert (case.words, case.title, case.place_text, case.lon, case.cell) == (retention.GONE, "", "", None, None)
    assert case.anonymised_at == now()
    assert case.reporter is not None
    assert (case.reporter.name, case.reporter.phone_hash, case.reporter.anonymised_at) == (None, None, now())
    assert not Notification.objects.filter(case_id=case_id).exists()
    assert set(EventText.objects.filter(case_id=case_id).values_list("body", flat=True)) == {retention.GONE}
    assert differences(case_id) == []
    after = [(event.pk, event.action, event.digests) for event in Event.objects.filter(case_id=case_id)]
    assert after[: len(before)] == before
    assert [action for _pk, action, _digests in after[len(before):]] == ["anonymise"]
    assert night(django_capture_on_commit_callbacks)["anonymised"] == 0, "once"
    assert Case.objects.get(pk=open_id).words == "还没办完的事"


@pytest.mark.django_db
def test_classes_end_each_at_its_own_time(
    world: World, monday: Frozen, disk: Path, settings: Any, django_capture_on_commit_callbacks: Any
) -> None:
    settings.LIANXIN_RETENTION_DAYS = {"message": 10, "attachment": 20, "reporter": 30, "words": 40}
    case_id = lived(world, monday)

    def left() -> tuple[bool, bool, bool, bool, bool]:
        case = Case.objects.get(pk=case_id)
        assert case.reporter is not None
        return (Notification.objects.exists(), bool(list(disk.rglob("*/*/*"))) and any(
            path.is_file() for path in disk.rglob("*")), case.reporter.name is not None, case.words != retention.GONE,
            case.anonymised_at is None)

    seen = []
    for _tenth in range(6):
        seen.append(left())
        monday.move(days=10, minutes=1)
        night(django_capture_on_commit_callbacks)
    assert seen == [
        (True, True, True, True, True),
        (False, True, True, True, True),
        (False, False, True, True, True),
        (False, False, False, True, True),
        (False, False, False, False, False),
        (False, False, False, False, False),
    ]
    events = Event.objects.filter(case_id=case_id, action="anonymise").order_by("id")
    assert [event.data["classes"] for event in events] == [
        ["attachment"], ["reporter", "attachment"], ["reporter", "words", "attachment"]]
    assert differences(case_id) == []


@pytest.mark.django_db
def test_words_that_come_later_go_too(
    world: World, monday: Frozen, disk: Path, settings: Any, django_capture_on_commit_callbacks: Any
) -> None:
    from lianxin.cases.engine import On

    settings.LIANXIN_RETENTION_DAYS = {"message": 10, "attachment": 10, "words": 10, "reporter": 1000}
    case_id = lived(world, monday)
    monday.move(days=11)
    night(django_capture_on_commit_callbacks)
    q.rate(On(case_id, reporter_for(case_id)), solved=True, satisfaction="satisfied", words="我是屠维大荒落")
    assert in_database(["屠维大荒落"])
    monday.move(days=1)
    assert night(django_capture_on_commit_callbacks)["anonymised"] == 1
    assert in_database(["屠维大荒落"]) == []
    assert differences(case_id) == []


@pytest.mark.django_db
def test_a_case_reopened_in_time_keeps_everything(world: World, monday: Frozen, disk: Path, settings: Any) -> None:
    settings.LIANXIN_RETENTION_DAYS = dict.fromkeys(settings.LIANXIN_RETENTION_DAYS, 1)
    case_id = lived(world, monday)
    q.reopen(world.on(case_id, "callback"), reason="又施工了")
    monday.move(days=30)
    assert housekeeping.anonymise_due(now()) == 0
    assert "屠维" in Case.objects.get(pk=case_id).words


@pytest.mark.django_db
def test_cleared_public_words_stay_and_uncleared_go(world: World, monday: Frozen, disk: Path) -> None:
    case_id, other = lived(world, monday), lived(world, monday)
    a.clear_publication(world.on(case_id, "reviewer"), title="夜间施工", body="某小区半夜打桩。")
    monday.move(days=1096)
    housekeeping.anonymise_due(now())
    assert list(PublicVersion.objects.values_list("case_id", "body")) == [(case_id, "某小区半夜打桩。")]
    assert differences(other) == []


@pytest.mark.django_db
@pytest.mark.parametrize("fault", [OSError("no disk"), OperationalError("canceling statement due to lock timeout")])
def test_one_case_that_cannot_be_waits_for_the_next_night_alone(
        world: World, monday: Frozen, disk: Path, monkeypatch: pytest.MonkeyPatch, fault: Exception) -> None:
    first, second = lived(world, monday), lived(world, monday)
    monday.move(days=1096)
    fault.__cause__ = LockNotAvailable()
    anonymise = retention._anonymise

    def spoilt(pk: Any, at: Any) -> bool:
        if pk == first:
            raise fault
        return anonymise(pk, at)

    with monkeypatch.context() as patch:
        patch.setattr(retention, "_anonymise", spoilt)
        assert retention.anonymise_due(now()) == 1
    assert Case.objects.get(anonymised_at__isnull=False).pk == second
    assert retention.anonymise_due(now()) == 1


@pytest.mark.django_db
def test_what_has_served_its_time_is_cleared_away(world: World, monday: Frozen, disk: Path) -> None:
    call_command("createcachetable", verbosity=0)
    cache.clear()  # what tests with a real server left there
    case_id = world.case()
    old, new = now() - timedelta(days=31), now()
    for key, at in ((b"a" * 32, old), (b"b" * 32, new)):
        Submission.objects.create(key=key, fingerprint=b"", case_id=case_id, event_id=case_id, at=at)
    store = SessionStore()
    for name, expires in (("old", timezone.now() - timedelta(days=1)), ("new", timezone.now() + timedelta(days=1))):
        Session.objects.create(session_key=name, session_data=store.encode({}), expire_date=expires)
    cache.set("stays", 1, 3600)
    cache.set("goes", 1, 3600)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_jobs")
        cursor.execute("UPDATE lianxin_cache SET expires = now() - interval '1 day' WHERE cache_key LIKE '%goes'")
        for status, at in (("succeeded", old), ("succeeded", new), ("failed", old), ("todo", old)):
            cursor.execute("INSERT INTO procrastinate_jobs (queue_name, task_name) VALUES ('q', 't') RETURNING id")
            job = cursor.fetchone()[0]
            cursor.execute("UPDATE procrastinate_jobs SET status = 'doing' WHERE id = %s AND %s <> 'todo'", [job, status])
            cursor.execute("UPDATE procrastinate_jobs SET status = %s::text::procrastinate_job_status WHERE id = %s", [status, job])
            cursor.execute("UPDATE procrastinate_events SET at = %s WHERE job_id = %s", [at, job])
    done = housekeeping.keep_house(now())
    assert (done["submissions"], done["sessions"], done["cache"], done["jobs"]) == (1, 1, 1, 1)
    assert [bytes(key) for key in Submission.objects.values_list("key", flat=True)] == [b"b" * 32]
    assert list(Session.objects.values_list("session_key", flat=True)) == ["new"]
    assert (cache.get("stays"), cache.get("goes")) == (1, None)
    with connection.cursor() as cursor:
        cursor.execute("SELECT status FROM procrastinate_jobs ORDER BY id")
        assert [row[0] for row in cursor.fetchall()] == ["succeeded", "failed", "todo"]


@pytest.mark.django_db
def test_one_part_that_fails_keeps_no_other_from_its_work(
    world: World, monday: Frozen, disk: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    case_id = lived(world, monday)
    monday.move(days=1096)

    def broken(_at: Any) -> int:
        raise OSError("no room")

    monkeypatch.setattr(housekeeping, "forget_submissions", broken)
    with pytest.raises(OSError, match="no room"):
        housekeeping.keep_house(now())
    assert "submissions failed" in caplog.text
    assert Case.objects.get(pk=case_id).words == retention.GONE


@pytest.mark.django_db
def test_the_nightly_job_does_all_this(world: World, monday: Frozen, disk: Path) -> None:
    from lianxin.cases.tasks import keep_house

    case_id = lived(world, monday)
    monday.move(days=1096)
    keep_house(timestamp=0)
    assert Case.objects.get(pk=case_id).anonymised_at is not None
