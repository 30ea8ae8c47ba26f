"""人员: accounts made, closed and given back; who may; what ends with an account; the link with which a password is set."""

from __future__ import annotations

import itertools
import re
import threading
from functools import reduce
from operator import or_
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.core.cache import cache
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.urls import reverse

from lianxin.cases.inbox import parts_of
from lianxin.cases.models import Assignment, Clock, Notice, State
from lianxin.kernel.clock import Frozen
from lianxin.kernel.errors import Conflict, Invalid, NotAllowed
from lianxin.organisations import accounts
from lianxin.organisations.actors import SYSTEM, actor_for
from lianxin.organisations.models import AccountEntry, ApiToken, Role, RoleGrant, Staff, token_digest
from tests.cases.ways import at_state
from tests.desk.conftest import SignIn
from tests.world import World

pytestmark = pytest.mark.django_db
PASSWORD = "桥头的路灯2026亮了"
LINK = re.compile(r'<code class="desk-secret">http://testserver([^<]+)</code>')


def sign_in(username: str, password: str = PASSWORD) -> Client:
    cache.clear()
    client = Client()
    client.post("/accounts/login/", {"login": username, "password": password})
    return client


def inside(client: Client) -> bool:
    return client.get("/accounts/sessions/").status_code == 200


def administrator_of(world: World, unit: str, username: str, role: Role = Role.ADMINISTRATOR) -> Staff:
    person = Staff.objects.create(username=username, name=f"{username}甲", unit=world.units[unit])
    RoleGrant.objects.create(staff=person, role=role, unit=world.units[unit])
    world.staff[username] = person
    return person


def set_password(address: str, password: str = PASSWORD) -> Client:
    client = Client()
    page = client.get(address, follow=True)
    assert page.status_code == 200
    client.post(page.redirect_chain[-1][0], {"password1": password, "password2": password})
    return client


def test_a_new_person_sets_a_password_by_a_link_that_works_once(as_: SignIn, world: World) -> None:
    client = as_("admin")
    page = client.post(reverse("desk:new_account"), {
        "name": "李新", "username": "lixin", "unit": "urban 市城管局", "roles": ["clerk", "head"]}).content.decode()
    address = LINK.search(page)
    assert address, page
    person = Staff.objects.get(username="lixin")
    assert not person.has_usable_password()
    assert {(grant.role, grant.unit.code, grant.granted_by.username) for grant in person.grants.all()} == {
        ("clerk", "urban", "admin"), ("head", "urban", "admin")}
    weak = Client()
    form = weak.get(address[1], follow=True)
    assert "设置密码" in form.content.decode()
    assert "lx-error" in weak.post(form.redirect_chain[-1][0], {"password1": "123", "password2": "123"}).content.decode()
    assert not inside(sign_in("lixin"))
    set_password(address[1])
    assert inside(sign_in("lixin"))
    assert "这个链接不能用了" in Client().get(address[1], follow=True).content.decode()
    assert address[1] not in client.get(reverse("desk:account", args=[person.pk])).content.decode()


def test_closing_an_account_ends_sessions_tokens_and_links_and_says_what_is_left(as_: SignIn, world: World) -> None:
    person = world.staff["urban2"]
    person.set_password(PASSWORD)
    person.save()
    phone, desk = sign_in("urban2"), sign_in("urban2")
    assert inside(phone)
    assert inside(desk)
    ApiToken.objects.create(name="平台", unit=person.unit, staff=person, digest=token_digest("x"), hint="x")
    office = as_("admin")
    link = LINK.search(office.post(reverse("desk:new_link", args=[person.pk])).content.decode())
    assert link
    address = reverse("desk:deactivate_account", args=[person.pk])
    refused = office.post(address, {"why": "  "})
    assert refused.status_code == 422
    assert "请写明原因" in refused.content.decode()
    assert inside(phone)
    done = office.post(address, {"why": "调离本单位"}, follow=True).content.decode()
    assert "退出 2 处登录，停用 1 个接口令牌" in done
    assert not inside(phone)
    assert not inside(desk)
    assert not inside(sign_in("urban2"))
    assert ApiToken.objects.get(name="平台").revoked_at is not None
    assert "这个链接不能用了" in Client().get(link[1], follow=True).content.decode()
    entry = AccountEntry.objects.filter(staff=person).latest("id")
    assert (entry.step, entry.by, entry.why) == ("deactivated", world.staff["admin"], "调离本单位")
    assert "调离本单位" in office.get(reverse("desk:account", args=[person.pk])).content.decode()
    assert "urban2甲" in office.get(reverse("desk:office"), {"closed": "1"}).content.decode()
    assert "urban2甲" not in office.get(reverse("desk:office")).content.decode()
    assert office.post(address, {"why": "再停一次"}).status_code == 409
    back = office.post(reverse("desk:reactivate_account", args=[person.pk]), {"why": "调回"}, follow=True)
    assert "已恢复" in back.content.decode()
    assert inside(sign_in("urban2"))
    assert not inside(phone), "an old session is not given back"
    assert ApiToken.objects.get(name="平台").revoked_at is not None


def _clerk_of(world: World, case_id: Any) -> str:
    unit = Assignment.objects.get(case_id=case_id, ended_at__isnull=True, role="lead").unit
    return unit.code


def test_work_of_somebody_who_left_stays_with_the_unit(as_: SignIn, world: World, monday: Frozen) -> None:
    case_id = at_state(world, State.IN_HAND)
    username = _clerk_of(world, case_id)
    person = world.staff[username]
    colleague = administrator_of(world, username, "colleague", Role.CLERK)
    lead = Assignment.objects.get(case_id=case_id, ended_at__isnull=True, role="lead")
    Assignment.objects.filter(case_id=case_id).update(officer=None)
    Assignment.objects.filter(pk=lead.pk).update(officer=person)
    clock = Clock.objects.filter(case_id=case_id).latest("id")
    reminder = Notice.objects.create(clock=clock, case_id=case_id, rule="reminder", level="reminder", kind="resolve", to="officer",
                                     unit=lead.unit, officer=person, due_at=clock.due_at, at=clock.due_at)
    told = Notice.objects.filter(reduce(or_, parts_of(actor_for(colleague))), pk=reminder.pk)
    assert not told.exists()
    client = as_("admin")
    done = client.post(reverse("desk:deactivate_account", args=[person.pk]), {"why": "退休"}, follow=True)
    assert "手上还有 1 件没办完，仍归本单位" in done.content.decode()
    assert Assignment.objects.filter(case_id=case_id, officer=person, ended_at__isnull=True).exists()
    board = Client()
    board.force_login(colleague, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert board.get(reverse("desk:case", args=[case_id])).status_code == 200
    assert told.exists(), "what was meant for whoever left is shown to the colleagues"


KEEPERS: dict[str, set[str] | None] = {
    "admin": None,  # everybody
    "urban_head": {"urban", "urban2"},
    "east_admin": {"east", "bridge", "grid"},
    "urban": set(), "supervisor": set(), "grid": set(),
}


@pytest.mark.parametrize("who", KEEPERS)
def test_whose_account_somebody_looks_after(world: World, who: str) -> None:
    administrator_of(world, "east", "east_admin")
    by = world.actor(who)
    people = {name: person for name, person in world.staff.items() if name != who}
    allowed = set()
    for name, person in people.items():
        try:
            with transaction.atomic():
                accounts.deactivate(staff_id=person.pk, why="试", by=by)
                allowed.add(name)
                transaction.set_rollback(True)
        except NotAllowed:
            pass
    assert allowed == (set(people) if KEEPERS[who] is None else KEEPERS[who])
    kept = accounts.keeper(by)
    one_by_one = {person.pk for person in Staff.objects.all() if kept.holds(person)}
    assert one_by_one == set(Staff.objects.filter(kept.q()).values_list("pk", flat=True))


def test_list_and_single_check_agree_for_every_mix_of_grants(world: World) -> None:
    units = ("urban", "east", "bridge", "hotline")
    rows = list(itertools.product((Role.CLERK, Role.HEAD, Role.ADMINISTRATOR, Role.SUPERVISOR, Role.LEADER), units))
    for number, ((role, unit), (second, other)) in enumerate(itertools.combinations(rows, 2)):
        person = administrator_of(world, unit, f"mix{number}", role)
        RoleGrant.objects.create(staff=person, role=second, unit=world.units[other])
    keepers = [accounts.keeper(actor_for(person)) for person in Staff.objects.all()]
    people = list(Staff.objects.all())
    for kept in {kept for kept in keepers if kept}:
        assert {p.pk for p in people if kept.holds(p)} == set(Staff.objects.filter(kept.q()).values_list("pk", flat=True))


@pytest.mark.parametrize(("who", "unit", "roles", "status"), [
    ("admin", "hotline", ["operator"], 200), ("admin", "urban", ["operator"], 403), ("admin", "closed", ["clerk"], 422),
    ("admin", "nowhere", ["clerk"], 422), ("admin", "urban", [], 422), ("urban_head", "", ["clerk"], 200),
    ("urban_head", "", ["head"], 422), ("urban_head", "", ["leader"], 422), ("east_admin", "bridge", ["clerk"], 200),
    ("east_admin", "urban", ["clerk"], 403), ("east_admin", "east", ["supervisor"], 422), ("urban", "urban", ["clerk"], 403),
])
def test_which_roles_one_may_give(as_: SignIn, world: World, who: str, unit: str, roles: list[str], status: int) -> None:
    administrator_of(world, "east", "east_admin")
    answer = as_(who).post(reverse("desk:new_account"), {"name": "李新", "username": "lixin", "unit": unit, "roles": roles})
    assert answer.status_code == status
    assert Staff.objects.filter(username="lixin").exists() is (status == 200)
    if status == 422:
        assert 'value="李新"' in answer.content.decode()


@pytest.mark.parametrize("username", ["a", "有汉字", "a b", "x" * 61, "a\nb", "<b>"])
def test_a_username_that_is_none_is_refused_with_the_rest_kept(as_: SignIn, world: World, username: str) -> None:
    answer = as_("admin").post(reverse("desk:new_account"), {
        "name": "李新", "username": username, "unit": "urban", "roles": ["clerk"]})
    assert answer.status_code == 422
    assert 'value="李新"' in answer.content.decode()
    assert AccountEntry.objects.count() == 0


def test_a_username_is_taken_once_by_closed_accounts_too(as_: SignIn, world: World) -> None:
    accounts.deactivate(staff_id=world.staff["urban2"].pk, why="离职", by=world.actor("admin"))
    answer = as_("admin").post(reverse("desk:new_account"), {
        "name": "李新", "username": "urban2", "unit": "urban", "roles": ["clerk"]})
    assert answer.status_code == 409
    assert "已有人用" in answer.content.decode()


def test_nobody_closes_their_own_account_or_the_last_administrators(as_: SignIn, world: World) -> None:
    admin = world.staff["admin"]
    own = as_("admin").post(reverse("desk:deactivate_account", args=[admin.pk]), {"why": "试"})
    assert own.status_code == 403
    assert "不能停用自己的账号" in own.content.decode()
    with pytest.raises(NotAllowed, match="最后一名系统管理员"):
        accounts.deactivate(staff_id=admin.pk, why="试", by=SYSTEM)
    with pytest.raises(NotAllowed):
        accounts.renew(staff_id=admin.pk, by=world.actor("admin"))
    second = administrator_of(world, "hotline", "admin2")
    accounts.deactivate(staff_id=admin.pk, why="轮岗", by=actor_for(second))
    stale = actor_for(admin)
    with pytest.raises(NotAllowed):
        accounts.deactivate(staff_id=second.pk, why="试", by=stale)
    with pytest.raises(NotAllowed):
        accounts.deactivate(staff_id=second.pk, why="试", by=SYSTEM)


@pytest.mark.django_db(transaction=True)
def test_of_two_administrators_who_close_each_other_one_remains(world: World) -> None:
    both = [world.staff["admin"], administrator_of(world, "hotline", "admin2")]
    actors = [actor_for(person) for person in both]
    start = threading.Barrier(2)

    def close(mine: int) -> None:
        start.wait()
        try:
            accounts.deactivate(staff_id=both[1 - mine].pk, why="试", by=actors[mine])
        except NotAllowed:
            pass
        finally:
            connection.close()

    threads = [threading.Thread(target=close, args=(mine,)) for mine in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Staff.objects.filter(pk__in=[one.pk for one in both], is_active=True).count() == 1


def test_a_lost_telephone_takes_the_second_step_away(as_: SignIn, world: World) -> None:
    person = world.staff["urban"]
    Authenticator.objects.create(user=person, type="totp", data={"secret": "x"})
    client = as_("urban_head")
    client.post(reverse("desk:new_link", args=[person.pk]))
    assert Authenticator.objects.filter(user=person).exists()
    client.post(reverse("desk:new_link", args=[person.pk]), {"second_step": "on"})
    assert not Authenticator.objects.filter(user=person).exists()
    assert list(AccountEntry.objects.filter(staff=person).order_by("id").values_list("step", flat=True)) == ["link", "reset"]
    newest = LINK.search(client.post(reverse("desk:new_link", args=[person.pk])).content.decode())
    older = LINK.search(client.post(reverse("desk:new_link", args=[person.pk])).content.decode())
    assert newest
    assert older
    assert "这个链接不能用了" in Client().get(newest[1], follow=True).content.decode(), "a newer link makes the older void"


def test_what_is_not_there_or_not_theirs_is_said_on_a_page(as_: SignIn, world: World) -> None:
    client = as_("urban_head")
    for pk in (world.staff["admin"].pk, 999_999_999):
        assert client.get(reverse("desk:account", args=[pk])).status_code == 404
        assert client.post(reverse("desk:new_link", args=[pk])).status_code == 404
        assert client.post(reverse("desk:deactivate_account", args=[pk]), {"why": "试"}).status_code == 404
    page = client.get(reverse("desk:office")).content.decode()
    assert "urban2甲" in page
    assert "water甲" not in page
    own = client.get(reverse("desk:account", args=[world.staff["urban_head"].pk])).content.decode()
    assert "别人才能停用它" in own
    assert as_("urban").get(reverse("desk:office")).status_code == 403


def test_an_administrator_of_one_unit_makes_no_token_in_anothers_name(as_: SignIn, world: World) -> None:
    administrator_of(world, "east", "east_admin")
    ApiToken.objects.create(name="热线平台", unit=world.units["hotline"], staff=world.staff["dispatcher"],
                            digest=token_digest("x"), hint="x")
    client, address = as_("east_admin"), reverse("desk:tokens")
    assert "热线平台" not in client.get(address).content.decode()
    refused = client.post(address, {"name": "借道", "username": "dispatcher", "scopes": "*"}).content.decode()
    assert "不归您管" in refused
    assert client.post(reverse("desk:revoke_token", args=[ApiToken.objects.get().pk])).status_code == 404
    assert ApiToken.objects.get().revoked_at is None
    client.post(address, {"name": "自己的", "username": "bridge", "scopes": "read"})
    assert ApiToken.objects.filter(name="自己的").exists()


def test_entries_cannot_be_altered(world: World) -> None:
    accounts.deactivate(staff_id=world.staff["urban"].pk, why="离职", by=world.actor("admin"))
    for change in (lambda: AccountEntry.objects.update(why="别的"), lambda: AccountEntry.objects.all().delete()):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()
    with pytest.raises(Invalid):
        accounts.reactivate(staff_id=world.staff["urban"].pk, why=" ", by=world.actor("admin"))
    with pytest.raises(Conflict):
        accounts.deactivate(staff_id=world.staff["urban"].pk, why="再", by=world.actor("admin"))
