"""The administrator's office: people, tokens, failed jobs, the ledger of readings."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse
from procrastinate.contrib.django.models import ProcrastinateJob
from pytest_django import DjangoAssertNumQueries

from lianxin.cases.actions.identity import read_identity
from lianxin.cases.models import Case, Event
from lianxin.desk import jobs
from lianxin.desk.queries import jobs as failed
from lianxin.kernel.clock import Frozen
from lianxin.kernel.errors import Conflict, NotAllowed
from lianxin.organisations.models import ApiToken, RoleGrant, token_digest
from tests.desk.conftest import SignIn
from tests.world import World

pytestmark = pytest.mark.django_db
PAGES = ("office", "tokens", "jobs", "readings")


def a_failed_job(world: World) -> tuple[int, str]:
    """The message of a registration, given up on."""
    from django.db import connection

    case_id = world.accepted()
    job = ProcrastinateJob.objects.filter(task_name="cases.announce").latest("id")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_jobs SET status = 'doing', attempts = 6 WHERE id = %s", [job.id])
        cursor.execute("UPDATE procrastinate_jobs SET status = 'failed' WHERE id = %s", [job.id])
    assert Event.objects.filter(case_id=case_id).exists()
    return job.id, Case.objects.get(pk=case_id).number


@pytest.mark.parametrize("page", PAGES)
def test_the_office_is_the_administrators(as_: SignIn, world: World, page: str) -> None:
    assert as_("admin").get(reverse(f"desk:{page}")).status_code == 200
    allowed = 200 if page == "readings" else 403
    assert as_("supervisor").get(reverse(f"desk:{page}")).status_code == allowed
    for username in ("operator", "dispatcher", "urban", "reviewer", "callback", "grid"):
        refused = as_(username).get(reverse(f"desk:{page}"))
        assert refused.status_code == 403
        assert "请找本单位的系统管理员" in refused.content.decode()


def test_people_are_found_by_name_username_and_unit(as_: SignIn, world: World,
                                                    django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    client, office = as_("admin"), reverse("desk:office")
    assert "urban2甲" in client.get(office).content.decode()
    for text in ("urban2", "市城管局"):
        page = client.get(office, {"q": text}).content.decode()
        assert "urban2" in page
        assert "water甲" not in page
    assert "没有找到" in client.get(office, {"q": "没有这个人"}).content.decode()
    with django_assert_max_num_queries(6):
        client.get(office)


def test_a_tokens_secret_is_shown_once_and_it_can_be_stopped(as_: SignIn, world: World) -> None:
    client, address = as_("admin"), reverse("desk:tokens")
    page = client.post(address, {"name": "市城管平台", "username": "urban", "scopes": "read sign"})
    secret = re.search(r'<code class="desk-secret">([^<]+)</code>', page.content.decode())
    assert secret
    token = ApiToken.objects.get()
    assert bytes(token.digest) == token_digest(secret.group(1))
    assert (token.scopes, token.unit.code) == (["read", "sign"], "urban")
    again = client.get(address).content.decode()
    assert secret.group(1) not in again
    assert "市城管平台" in again
    client.post(reverse("desk:revoke_token", args=[token.pk]))
    token.refresh_from_db()
    assert token.revoked_at is not None
    wrong = client.post(address, {"name": "保留", "username": "nobody", "scopes": "read"}).content.decode()
    assert "没有这个在职人员" in wrong
    assert 'value="保留"' in wrong
    assert ApiToken.objects.count() == 1


def test_a_failed_job_is_listed_with_its_case_and_tried_again_once(as_: SignIn, world: World, monday: Frozen) -> None:
    job_id, number = a_failed_job(world)
    client = as_("admin")
    page = client.get(reverse("desk:jobs")).content.decode()
    assert number in page
    assert "cases.announce" in page
    assert "失败 1 项" in page
    done = client.post(reverse("desk:retry_job", args=[job_id]), follow=True)
    assert "已重新排队" in done.content.decode()
    assert ProcrastinateJob.objects.get(pk=job_id).status == "todo"
    twice = client.post(reverse("desk:retry_job", args=[job_id]), follow=True)
    assert "已经不在失败之列" in twice.content.decode()
    assert client.get(reverse("desk:retry_job", args=[job_id])).status_code == 405
    assert as_("supervisor").post(reverse("desk:retry_job", args=[job_id])).status_code == 403


def test_only_failed_jobs_are_tried_again_and_only_by_an_administrator(world: World, monday: Frozen) -> None:
    job_id, _number = a_failed_job(world)
    with pytest.raises(NotAllowed):
        jobs.retry(job_id=job_id, by=world.actor("supervisor"))
    world.accepted()
    waiting = ProcrastinateJob.objects.filter(status="todo").latest("id")
    with pytest.raises(Conflict):
        jobs.retry(job_id=waiting.id, by=world.actor("admin"))
    assert failed().failed_total == 1


def test_the_ledger_says_who_read_whom_and_why_but_not_what(as_: SignIn, world: World, monday: Frozen) -> None:
    case_id = world.accepted()
    read_identity(world.on(case_id, "operator"), why="回电核对地址")
    number = Case.objects.get(pk=case_id).number
    address = reverse("desk:readings")
    for username in ("admin", "supervisor"):
        page = as_(username).get(address).content.decode()
        for words in (number, "operator甲", "回电核对地址", "电话"):
            assert words in page
        assert "13812342201" not in page
    client = as_("admin")
    assert number in client.get(address, {"number": number}).content.decode()
    assert number not in client.get(address, {"username": "urban"}).content.decode()
    assert "没有人查看过" in client.get(address, {"until": "2026-11-01", "since": "2026-10-01"}).content.decode()
    assert client.get(address, {"since": "nonsense", "until": "9999-99-99"}).status_code == 200
    assert number not in as_("east_supervisor").get(address).content.decode()


def test_an_account_without_a_desk_is_let_out_not_led_in_a_circle(as_: SignIn, world: World) -> None:
    RoleGrant.objects.filter(staff=world.staff["urban2"]).delete()
    page = as_("urban2").get(reverse("desk:home"))
    main = page.content.decode().partition("<main")[2]
    assert page.status_code == 403
    assert f'action="{reverse("account_logout")}"' in main
    assert "回到工作台" not in main
    lost = as_("urban").get("/desk/nothing/").content.decode()
    assert "回到工作台" in lost
    assert "回到首页" not in lost


def test_a_tick_is_not_called_optional(as_: SignIn, world: World) -> None:
    page = as_("admin").get(reverse("desk:exchange_new")).content.decode()
    labels = {re.sub(r"<[^>]+>|\s", "", one) for one in re.findall(r"<label.*?</label>", page, re.S)}
    assert "启用" in labels
    assert "英文名称（可不填）" in labels


def test_a_token_for_everything_says_so(as_: SignIn, world: World) -> None:
    person = world.staff["operator"]
    for scopes in (["*"], ["read", "register"]):
        ApiToken.objects.create(name="试", unit=person.unit, staff=person, scopes=scopes, digest=token_digest(str(scopes)), hint="abcd")
    page = as_("admin").get(reverse("desk:tokens")).content.decode()
    assert "<td>本人的全部权限</td>" in page
    assert "<td>read register</td>" in page
    assert "<td>*</td>" not in page


def test_a_misspelt_scope_is_refused_with_the_nearest_one(as_: SignIn, world: World) -> None:
    client, address = as_("admin"), reverse("desk:tokens")
    asked = {"name": "市城管平台", "username": "urban", "scopes": "read singn everything read"}
    page = client.post(address, asked).content.decode()
    assert "没有权限“singn”，是不是 sign？" in page
    assert "没有权限“everything”，请从下面的清单里选。" in page
    assert 'value="read singn everything read"' in page, "what was typed stays"
    assert not ApiToken.objects.filter(name="市城管平台").exists()
    client.post(address, asked | {"scopes": "read sign read"})
    assert ApiToken.objects.get(name="市城管平台").scopes == ["read", "sign"]


def test_every_scope_that_is_asked_for_can_be_given(as_: SignIn, world: World) -> None:
    """The page lists what the program asks for somewhere, in words."""
    page = as_("admin").get(reverse("desk:tokens")).content.decode()
    for scope in ("read", "read_identity", "register", "open311", "scim", "webhooks", "tell_call", "listings", "field", "keep_linkage"):
        assert f"<code>{scope}</code></dt><dd>" in page, scope
    assert "<code>anonymise</code>" not in page, "a step of the system's own"
    with pytest.raises(KeyError):
        world.actor("operator").scoped("raed")
