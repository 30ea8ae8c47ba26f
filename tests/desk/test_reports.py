"""The report pages: for whom, every number a link to just its cases, what fails said in words, files kept once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from html import unescape
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import storages
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils.translation import override

from lianxin.analysis.figures import Period
from lianxin.analysis.reports import kept
from lianxin.analysis.reports.models import KeptReport
from lianxin.analysis.reports.tasks import make_due
from lianxin.kernel import clock
from lianxin.kernel.errors import NotFound
from lianxin.organisations.models import Role, RoleGrant, Staff
from tests.analysis.conftest import Town, october, town
from tests.desk.conftest import SignIn
from tests.world import World

__all__ = ["october", "town"]
pytestmark = pytest.mark.django_db
PAGE = "/desk/reports/?period=2026-10"


@pytest.fixture(autouse=True)
def own_files(tmp_path: Path, settings: Any) -> Iterator[None]:
    settings.LIANXIN_ANALYSIS_DIR = str(tmp_path / "analysis")
    settings.MEDIA_ROOT = str(tmp_path / "files")
    storages._storages.clear()
    yield
    storages._storages.clear()


def given(world: World, username: str, role: Role, unit: str) -> None:
    person = Staff.objects.create(username=username, name=username, unit=world.units[unit])
    RoleGrant.objects.create(staff=person, role=role, unit=world.units[unit])
    world.staff[username] = person


@pytest.mark.parametrize(("username", "status"), [
    ("supervisor", 200), ("dispatcher", 200), ("urban", 200), ("east", 200), ("east_supervisor", 200),
    ("operator", 403), ("reviewer", 403), ("callback", 403), ("admin", 403), ("grid", 403),
])
def test_who_reads_reports(world: World, monday: clock.Frozen, as_: SignIn, username: str, status: int) -> None:
    assert as_(username).get(PAGE).status_code == status


def test_each_reads_what_is_theirs(world: World, monday: clock.Frozen, as_: SignIn) -> None:
    given(world, "report_chief", Role.LEADER, "hotline")
    given(world, "report_head", Role.HEAD, "urban")
    for username in ("supervisor", "report_chief"):
        assert as_(username).get(PAGE).context["asked"].codes == (), username
    for username, codes in (("urban", ("urban",)), ("report_head", ("urban",)), ("east_supervisor", ("990101",))):
        client = as_(username)
        assert client.get(PAGE).context["asked"].codes == codes, username
        assert "报告" in client.get("/desk/board/all/").content.decode()
    for query in ("&unit=housing", "&county=990102"):
        refused = as_("urban").get(PAGE + query)
        assert refused.status_code == 403
        assert "只能看本单位" in refused.content.decode()
    assert as_("urban").get("/desk/reports/cases/?measure=due&period=2026-10").status_code == 403


def links(page: str) -> list[tuple[str, int]]:
    found = re.findall(r'<a href="(/desk/reports/cases/\?[^"]+)">(\d+)</a>', page)
    return [(unescape(address), int(number)) for address, number in found]


@pytest.mark.parametrize("query", ["", "&unit=urban", "&county=990101", "&category=01"])
def test_every_number_leads_to_just_its_cases(town: Town, as_: SignIn, query: str) -> None:
    client = as_("supervisor")
    found = links(client.get(PAGE + query).content.decode())
    assert len(found) > 40
    for address, number in dict.fromkeys(found):
        response = client.get(address)
        assert response.status_code == 200, address
        assert response.context["found"].total == number, address
        assert len(response.context["found"].rows) == response.context["found"].cases > 0, address


def test_the_cases_of_a_number_by_name(town: Town, as_: SignIn) -> None:
    page = as_("supervisor").get("/desk/reports/cases/?measure=unreached&period=2026-10")
    assert {case.pk for case in page.context["found"].rows} == {town.cases[name] for name in ("unreached", "bounced", "redone")}
    assert "回访未联系上的" in page.content.decode()


def test_a_list_of_cases_has_pages_and_keeps_its_place(town: Town, as_: SignIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lianxin.analysis.reports.cases.behind.__kwdefaults__", {"after": "", "limit": 4})
    client, address, seen = as_("supervisor"), "/desk/reports/cases/?measure=due&period=2026-10", []
    first = client.get(address).context["found"]
    seen += [case.pk for case in first.rows]
    second = client.get(f"{address}&after={first.after}").context["found"]
    seen += [case.pk for case in second.rows]
    assert (len(seen), len(set(seen)), second.after, second.total) == (7, 7, "", 7)
    assert seen == sorted(seen, reverse=True)
    assert client.get(f"{address}&after=nonsense").status_code == 200


@pytest.mark.parametrize(("query", "status"), [
    ("measure=words&period=2026-10", 404), ("measure=due&period=now", 422), ("measure=due&period=2026-10&unit=x", 404),
    ("measure=due&period=2026-10&town=x", 404), ("", 422),
])
def test_a_number_there_is_none_of(world: World, monday: clock.Frozen, as_: SignIn, query: str, status: int) -> None:
    assert as_("supervisor").get(f"/desk/reports/cases/?{query}").status_code == status


@pytest.mark.parametrize(("query", "status", "words"), [
    ("period=nonsense", 422, "看不懂这个统计期"), ("from=2026-10-09&to=2026-10-01", 422, "结束日期"),
    ("from=2026-10-09", 422, "两天都填上"), ("period=2030-01", 422, "还没有开始"), ("period=0001", 422, "2000 年"),
    ("period=1999-12", 422, "2000 年"),
    ("period=9000", 422, "2100 年"), ("from=2000-01-01&to=9000-01-01", 422, "2100 年"), ("period=2026-10&unit=x", 404, "没有这个单位"),
])
def test_a_bad_question_is_answered_in_words(world: World, monday: clock.Frozen, as_: SignIn, query: str, status: int, words: str) -> None:
    response = as_("supervisor").get(f"/desk/reports/?{query}")
    assert response.status_code == status
    assert words in response.content.decode()
    assert 'name="from"' in response.content.decode()


def test_an_engine_that_fails_leaves_the_page_standing(world: World, monday: clock.Frozen, as_: SignIn,
                                                         monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_args: object, **_more: object) -> None:
        raise OSError("disk")

    monkeypatch.setattr("lianxin.analysis.counting.count_by", broken)
    response = as_("supervisor").get(PAGE)
    assert response.status_code == 503
    assert "统计暂时算不出来" in response.content.decode()
    back = as_("supervisor").get("/desk/reports/file.pdf?period=2026-10", follow=False)
    assert back.headers["Location"] == "/desk/reports/?period=2026-10"


@pytest.mark.parametrize(("form", "begins"), [("pdf", b"%PDF-"), ("docx", b"PK"), ("html", b"<!doctype html>")])
def test_files(world: World, monday: clock.Frozen, as_: SignIn, form: str, begins: bytes) -> None:
    response = as_("supervisor").get(f"/desk/reports/file.{form}?period=2026-10")
    assert response.status_code == 200
    assert response.content.lstrip().startswith(begins)
    assert f"report-2026-10.{form}" in response.headers["Content-Disposition"]


def test_the_page_obeys_the_strict_policy(town: Town, as_: SignIn) -> None:
    page = as_("supervisor").get(PAGE).content.decode()
    assert " style=" not in page
    assert "<style" not in page
    assert page.count('role="img"') >= 9


def test_the_schedule_keeps_each_report_once(world: World, as_: SignIn) -> None:
    with clock.frozen(datetime(2026, 11, 3, 22, 5, tzinfo=UTC)):
        make_due(0)
        make_due(0)
    held = KeptReport.objects.order_by("period", "format")
    assert [(one.period, one.format) for one in held] == [
        (period, form) for period in ("2026-10", "2026-W44") for form in ("docx", "html", "pdf")]
    page = as_("supervisor").get(PAGE).content.decode()
    assert page.count("定时任务") == 6
    for one in held:
        response = as_("dispatcher").get(reverse("desk:kept_report", args=[one.pk]))
        assert len(b"".join(response.streaming_content)) == one.size
        assert as_("urban").get(reverse("desk:kept_report", args=[one.pk])).status_code == 403


def test_a_person_keeps_one_beside_them(world: World, monday: clock.Frozen, as_: SignIn) -> None:
    response = as_("supervisor").post(reverse("desk:keep_report"), {"period": "2026-W43"}, follow=True)
    assert "已存档" in response.content.decode()
    assert set(KeptReport.objects.values_list("made_by__username", flat=True)) == {"supervisor"}
    assert as_("urban").post(reverse("desk:keep_report"), {"period": "2026-W43"}).status_code == 403
    assert "看不懂" in as_("supervisor").post(reverse("desk:keep_report"), {"period": "x"}, follow=True).content.decode()


def test_kept_files_go_when_their_time_is_over(world: World, settings: Any, as_: SignIn) -> None:
    with clock.frozen(datetime(2026, 11, 3, tzinfo=UTC)):
        made = kept.keep(Period.of("2026-10"), formats=["html"])
    [one] = made
    assert kept.open_kept(one).read().startswith(b"<!doctype html>")
    assert kept.forget_reports(datetime(2027, 11, 3, tzinfo=UTC)) == 0
    settings.LIANXIN_REPORT_DAYS = 300
    assert kept.forget_reports(datetime(2027, 11, 3, tzinfo=UTC)) == 1
    assert not KeptReport.objects.exists()
    with pytest.raises(NotFound):
        kept.open_kept(one)


def test_the_command_writes_files(world: World, monday: clock.Frozen, tmp_path: Path) -> None:
    out = StringIO()
    call_command("report", "monthly", "--period", "2026-10", "--format", "docx", "--out", str(tmp_path / "a.docx"), stdout=out)
    assert (tmp_path / "a.docx").read_bytes().startswith(b"PK")
    assert "试验市 诉求办理月报" in out.getvalue()
    call_command("report", "weekly", "--format", "html", "--language", "en", "--out", str(tmp_path / "a.html"), stdout=out)
    assert 'lang="en"' in (tmp_path / "a.html").read_text()
    for arguments in (["weekly", "--period", "2026-10"], ["period"], ["period", "--period", "x"],
                      ["monthly", "--period", "2026-10", "--unit", "x"],
                      ["monthly", "--period", "2026-10", "--out", str(tmp_path / "no" / "a.pdf")]):
        with pytest.raises(CommandError):
            call_command("report", *arguments)


def test_english(town: Town, as_: SignIn) -> None:
    with override("en"):
        client = as_("supervisor")
    client.cookies["django_language"] = "en"
    page = client.get(PAGE, headers={"accept-language": "en"}).content.decode()
    for words in ("Reports kept", "Where cases come from", "How these numbers are made", "Download PDF"):
        assert words in page
