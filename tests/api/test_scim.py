"""SCIM 2.0: the shapes of RFC 7643, the protocol of RFC 7644 with its traps, and that nothing goes round the accounts' own rules."""

from __future__ import annotations

import contextlib
import json
from datetime import date
from typing import Any

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from lianxin.api import tokens
from lianxin.api.scim.errors import ScimFault
from lianxin.api.scim.filters import condition
from lianxin.api.scim.resources import USER_FILTERS
from lianxin.kernel.clock import Frozen
from lianxin.organisations.models import AccountEntry, RoleGrant, Staff, Unit
from tests.api.conftest import token
from tests.world import World

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
STAFF = "urn:lianxin:params:scim:schemas:extension:2.0:Staff"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
MEDIA = "application/scim+json"
pytestmark = pytest.mark.django_db


class Directory:
    """A city's directory with its token."""

    def __init__(self, secret: str) -> None:
        tokens.forget()
        self.client = Client()
        self.headers = {"Authorization": f"Bearer {secret}", "Accept-Language": "zh-hans"}

    def send(self, method: str, path: str, body: Any = None, kind: str = MEDIA) -> Any:
        raw = body if isinstance(body, bytes) else json.dumps(body) if body is not None else b""
        response = self.client.generic(method, f"/scim/v2/{path}", raw, content_type=kind, headers=self.headers)
        assert response["Content-Type"] == MEDIA
        if response.status_code >= 400:
            said = response.json()
            assert said["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:Error"]
            assert said["status"] == str(response.status_code)
        return response

    def get(self, path: str) -> Any:
        response = self.send("GET", path)
        assert response.status_code == 200, response.content
        return response.json()

    def patch(self, path: str, *operations: dict[str, Any]) -> Any:
        return self.send("PATCH", path, {"schemas": [PATCH], "Operations": list(operations)})


@pytest.fixture
def directory(world: World) -> Directory:
    return Directory(token(world, "admin", "scim"))


def new(directory: Directory, **more: Any) -> dict[str, Any]:
    response = directory.send("POST", "Users", {"schemas": [USER, STAFF], "userName": "li.na", "displayName": "李娜",
                                                "roles": [{"value": "clerk"}], STAFF: {"unit": "water"}} | more)
    assert response.status_code == 201, response.content
    made: dict[str, Any] = response.json()
    assert response["Location"] == made["meta"]["location"] == f"http://testserver/scim/v2/Users/{made['id']}"
    return made


def entries(pk: str) -> list[tuple[str, str]]:
    return list(AccountEntry.objects.filter(staff_id=pk).order_by("id").values_list("step", "why"))


def held(pk: str) -> set[str]:
    return set(RoleGrant.objects.filter(staff_id=pk, ended_at__isnull=True).values_list("role", flat=True))


def test_only_an_administrators_token_that_names_the_scope(world: World) -> None:
    for secret, status in (("wrong", 401), (token(world, "admin", "*"), 403), (token(world, "admin", "read"), 403),
                           (token(world, "dispatcher", "scim"), 403), (token(world, "admin", "scim"), 200)):
        response = Directory(secret).send("GET", "Users")
        assert response.status_code == status
        assert ("WWW-Authenticate" in response) == (status == 401)


def test_what_the_service_says_of_itself_is_whole(directory: Directory) -> None:
    config = directory.get("ServiceProviderConfig")
    assert {"patch", "bulk", "filter", "changePassword", "sort", "etag", "authenticationSchemes"} <= config.keys()
    kinds = directory.get("ResourceTypes")
    assert [one["endpoint"] for one in kinds["Resources"]] == ["/Users", "/Groups"]
    known = {one["id"]: one for one in directory.get("Schemas")["Resources"]}
    made = new(directory)
    assert set(made["schemas"]) <= known.keys()
    described = {one["name"] for one in known[USER]["attributes"]}
    assert made.keys() - {"schemas", "id", "meta", STAFF} <= described
    for attribute in known[USER]["attributes"]:
        assert {"name", "type", "multiValued", "description", "required", "mutability", "returned"} <= attribute.keys()
    assert directory.get(f"Schemas/{USER}")["id"] == USER
    assert directory.get("ResourceTypes/User")["schema"] == USER
    assert directory.send("GET", "Schemas?filter=id%20pr").status_code == 403
    assert directory.send("GET", "Nothing").status_code == 404
    assert directory.send("POST", "Bulk", {}).status_code == 501
    assert directory.send("PUT", "Users", {}).status_code == 405


def test_a_user_from_hiring_to_leaving_and_coming_back(directory: Directory, world: World) -> None:
    made = new(directory, emails=[{"value": "li.na@example.org", "type": "work", "primary": True}])
    pk = made["id"]
    assert made[STAFF] == {"unit": "water"}
    assert made["active"] is True
    assert [role["value"] for role in made["roles"]] == ["clerk"]
    assert [group["value"] for group in made["groups"]] == ["water:clerk"]
    assert directory.get(f"Users/{pk}") == directory.get(f"Users/{pk}")
    person = Staff.objects.get(pk=pk)
    assert not person.has_usable_password()

    changed = directory.send("PUT", f"Users/{pk}", {"userName": "li.na", "name": {"familyName": "李", "givenName": "娜娜"},
                                                    "roles": [{"value": "head"}], "active": True, "unknown": {"x": 1}}).json()
    assert (changed["displayName"], held(pk)) == ("李娜娜", {"head"})
    assert directory.patch(f"Users/{pk}", {"op": "Replace", "path": "active", "value": "False"}).json()["active"] is False
    assert directory.patch(f"Users/{pk}", {"op": "replace", "value": {"active": True, f"{STAFF}:unit": "west"}}).json()["active"]
    assert Staff.objects.get(pk=pk).unit == world.units["west"]
    assert set(RoleGrant.objects.filter(staff_id=pk, ended_at__isnull=True).values_list("unit__code", "role")) == {("west", "head")}
    steps = [step for step, _why in entries(pk)]
    assert steps == ["made", "changed", "changed", "deactivated", "changed", "reactivated"]
    assert all("SCIM" in why for step, why in entries(pk) if step != "made")
    assert set(AccountEntry.objects.filter(staff_id=pk).values_list("by__username", flat=True)) == {"admin"}

    assert directory.send("DELETE", f"Users/{pk}").status_code == 204
    assert Staff.objects.filter(pk=pk, is_active=False).exists()  # never erased
    for method in ("GET", "DELETE", "PUT"):
        assert directory.send(method, f"Users/{pk}", {}).status_code == 404
    assert directory.get('Users?filter=userName%20eq%20"li.na"')["totalResults"] == 0
    again = new(directory, displayName="李娜")
    assert (again["id"], again["active"], held(pk)) == (pk, True, {"clerk"})


def test_names_that_are_taken_and_values_that_cannot_be(directory: Directory, world: World) -> None:
    new(directory)
    for body, status, kind in (
        ({"userName": "li.na", "displayName": "x"}, 409, "uniqueness"),
        ({"displayName": "x"}, 400, "invalidValue"),
        ({"userName": "a b", "displayName": "x"}, 400, "invalidValue"),
        ({"userName": "zhang", "roles": [{"value": "emperor"}]}, 400, "invalidValue"),
        ({"userName": "zhang", STAFF: {"unit": "nowhere"}}, 400, "invalidValue"),
        ({"userName": "zhang", "emails": [{"value": "no address"}]}, 400, "invalidValue"),
        ({"userName": "zhang", "active": "perhaps"}, 400, "invalidValue"),
        ({"userName": "zhang\0"}, 400, "invalidValue"),
        ({"userName": "zhang", "roles": [{"value": "\ud800"}]}, 400, "invalidSyntax"),
        ({"userName": "zhang", STAFF: {"unit": "\ud800"}}, 400, "invalidSyntax"),
        ({"userName": "zhang", "emails": [{"value": f"{'a' * 60}@{'.'.join(['b' * 60] * 4)}.cn"}]}, 400, "invalidValue"),
        ({"userName": 5}, 400, "invalidValue"),
        (["x"], 400, "invalidSyntax"),
        (b"{", 400, "invalidSyntax"),
    ):
        response = directory.send("POST", "Users", body)
        assert (response.status_code, response.json().get("scimType")) == (status, kind), body
    assert directory.send("POST", "Users", {"userName": "zhang", "roles": [{"value": "operator"}], STAFF: {"unit": "water"}}
                          ).status_code == 403  # a role of the hotline
    assert directory.send("POST", "Users", b"<user/>", kind="text/xml").status_code == 415
    assert not Staff.objects.filter(username="zhang").exists()
    assert directory.send("GET", "Users/abc").status_code == 404
    assert directory.send("GET", "Users/99999999999999999999").status_code == 404


def test_a_patch_is_taken_whole_or_not_at_all(directory: Directory) -> None:
    pk = new(directory)["id"]
    before = entries(pk)
    for operations, kind in (
        ([{"op": "replace", "path": "displayName", "value": "王"}, {"op": "replace", "path": "userName", "value": "other"}], "mutability"),
        ([{"op": "replace", "path": "displayName", "value": "王"}, {"op": "add", "path": "roles", "value": [{"value": "operator"}]}], None),
        ([{"op": "remove", "path": "displayName"}], "mutability"),
        ([{"op": "replace", "path": "id", "value": "1"}], "mutability"),
        ([{"op": "remove"}], "noTarget"),
        ([{"op": "move", "path": "active"}], "invalidSyntax"),
        ([], "invalidSyntax"),
        ([{"op": "replace", "path": "emails[type eq \"work\"].value", "value": "x"}], "invalidValue"),
    ):
        response = directory.patch(f"Users/{pk}", *operations)
        assert response.status_code in (400, 403), operations
        assert response.json().get("scimType") == kind
    assert directory.send("PATCH", f"Users/{pk}", {"Operations": []}).status_code == 400
    assert entries(pk) == before
    done = directory.patch(f"Users/{pk}", {"op": "add", "path": "roles", "value": [{"value": "head"}]},
                           {"op": "replace", "path": 'emails[type eq "work"].value', "value": "li@example.org"})
    assert [one["value"] for one in done.json()["roles"]] == ["clerk", "head"]
    assert done.json()["emails"][0]["value"] == "li@example.org"
    directory.patch(f"Users/{pk}", {"op": "remove", "path": 'roles[value eq "head"]'}, {"op": "remove", "path": "emails"})
    assert held(pk) == {"clerk"}
    assert "emails" not in directory.get(f"Users/{pk}")


def test_nobody_locks_themselves_or_everybody_out(directory: Directory, world: World) -> None:
    own = world.staff["admin"].pk
    for body in ({"op": "replace", "path": "active", "value": False}, {"op": "replace", "path": "roles", "value": []}):
        assert directory.patch(f"Users/{own}", body).status_code == 403
    assert directory.send("DELETE", f"Users/{own}").status_code == 403


def test_lists_are_filtered_and_paged(directory: Directory, world: World) -> None:
    new(directory)
    whole = directory.get("Users")
    assert whole["totalResults"] == Staff.objects.count() == whole["itemsPerPage"]
    page = directory.get("Users?startIndex=2&count=2")
    assert [one["id"] for one in page["Resources"]] == [one["id"] for one in whole["Resources"]][1:3]
    assert (page["startIndex"], page["totalResults"]) == (2, whole["totalResults"])
    none = directory.get("Users?count=0")
    assert (none["Resources"], none["totalResults"]) == ([], whole["totalResults"])
    assert directory.get("Users?startIndex=-5&count=-1")["Resources"] == []
    assert directory.send("GET", "Users?count=x").status_code == 400
    for text, found in (
        ('userName eq "LI.NA"', True), ('userName ne "li.na"', False), ('displayName sw "李" and active eq true', True),
        ('not (displayName co "李")', False), ('emails pr', False), ('roles[value eq "clerk"] and userName ew "na"', True),
        ('meta.created gt "2020-01-01T00:00:00Z"', True), ('meta.lastModified lt "2020-01-01T00:00:00+08:00"', False),
        (f'{STAFF}:unit eq "water"', True), (f'{USER}:userName eq "li.na"', True), ('(userName eq "x" or userName eq "li.na")', True),
        ('emails.value eq null', True),
    ):
        names = [one["userName"] for one in directory.send("POST", "Users/.search", {"filter": text}).json()["Resources"]]
        assert ("li.na" in names) == found, text
        assert len(names) == len(set(names))
    for text in ("userName", "userName eq", "userName eq x", "password pr", "(userName pr", "active co true", "userName eq 5",
                 'userName pr or', '"x"', "not userName pr", "(" * 50, 'meta.created gt "soon"'):
        response = directory.send("POST", "Users/.search", {"filter": text})
        assert (response.status_code, response.json()["scimType"]) == (400, "invalidFilter"), text
    only = directory.get('Users?attributes=userName&filter=userName%20eq%20"li.na"')["Resources"][0]
    assert only.keys() == {"schemas", "id", "meta", "userName"}
    assert "groups" not in directory.get("Users?excludedAttributes=groups,roles")["Resources"][0]


@given(st.text(alphabet='userNameactive ()[]"\\eqornotdpr.5', max_size=40))
def test_a_filter_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(ScimFault):
        condition(text, USER_FILTERS)


def _by(directory: Directory, text: str) -> list[str]:
    found = directory.send("POST", "Users/.search", {"filter": text}).json()["Resources"]
    return [one["userName"] for one in found]


def test_a_directory_of_entras_kind_keeps_its_own_name_for_a_person(directory: Directory) -> None:
    """Looked for by both names, made, changed by parts, closed with a text, found again."""
    assert directory.get('Users?filter=externalId%20eq%20"8f6c-A1"')["totalResults"] == 0
    made = new(directory, externalId="8f6c-A1", name={"formatted": "李娜", "familyName": "李", "givenName": "娜"}, active=True)
    pk = made["id"]
    assert made["externalId"] == "8f6c-A1"
    assert ("changed", "SCIM：externalId") in entries(pk)
    assert _by(directory, 'externalId eq "8f6c-A1"') == ["li.na"]
    assert _by(directory, 'externalId eq "8f6c-a1"') == []  # the directory's own name is taken letter by letter
    assert _by(directory, 'externalId eq "8f6c-A1" and userName eq "LI.NA"') == ["li.na"]
    assert _by(directory, "externalId pr") == ["li.na"]
    done = directory.patch(f"Users/{pk}", {"op": "Replace", "path": "externalId", "value": "8f6c-B2"},
                           {"op": "Replace", "path": "name.familyName", "value": "王"},
                           {"op": "Replace", "path": "name.givenName", "value": "娜"},
                           {"op": "Add", "path": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department", "value": "水务"})
    assert (done.json()["externalId"], done.json()["displayName"]) == ("8f6c-B2", "王娜")
    assert directory.patch(f"Users/{pk}", {"op": "Replace", "path": "name.givenName", "value": "丽"}).status_code == 400
    assert directory.patch(f"Users/{pk}", {"op": "Replace", "path": "active", "value": "False"}).json()["active"] is False
    assert directory.patch(f"Users/{pk}", {"op": "Replace", "path": "active", "value": "True"}).json()["active"] is True
    assert "externalId" not in directory.patch(f"Users/{pk}", {"op": "Remove", "path": "externalId"}).json()
    assert _by(directory, 'externalId eq "8f6c-B2"') == []
    for wrong in ("x" * 256, "a\0b", 5):
        assert directory.patch(f"Users/{pk}", {"op": "Add", "path": "externalId", "value": wrong}).json()["scimType"] == "invalidValue"


def test_a_directory_of_oktas_kind_puts_whole_users_and_reads_page_by_page(directory: Directory) -> None:
    pk = new(directory, externalId="00u1")["id"]
    whole = directory.get(f"Users/{pk}")
    assert directory.send("PUT", f"Users/{pk}", whole | {"externalId": "00u2", "displayName": "李娜娜"}).json()["externalId"] == "00u2"
    assert directory.send("PUT", f"Users/{pk}", {"userName": "li.na"}).json()["externalId"] == "00u2"  # not spoken of, not taken away
    assert directory.patch(f"Users/{pk}", {"op": "replace", "value": {"active": False}}).json()["active"] is False
    seen, start = [], 1
    while True:
        page = directory.get(f"Users?startIndex={start}&count=2")
        seen += [(one["userName"], one.get("externalId")) for one in page["Resources"]]
        start += page["itemsPerPage"]
        if start > page["totalResults"]:
            break
    assert len(seen) == len(set(seen)) == Staff.objects.count()
    assert [one for one in seen if one[1]] == [("li.na", "00u2")]
    directory.send("DELETE", f"Users/{pk}")
    assert new(directory, externalId="00u3")["externalId"] == "00u3"  # come back, and named anew
    assert _by(directory, 'externalId sw "00u"') == ["li.na"]


def test_groups_are_units_and_roles(directory: Directory, world: World) -> None:
    pk = new(directory)["id"]
    whole = directory.get("Groups?count=200")
    ids = [one["id"] for one in whole["Resources"]]
    assert "hotline:operator" in ids
    assert "water:operator" not in ids  # a role of the hotline only
    members = {one["value"] for one in directory.get("Groups/water:clerk")["members"]}
    assert pk in members
    assert [one["id"] for one in directory.get(f'Groups?filter=members%20eq%20"{pk}"')["Resources"]] == ["water:clerk"]
    assert directory.get('Groups?filter=displayName%20eq%20"nothing"')["totalResults"] == 0
    assert directory.send("GET", "Groups?filter=displayName%20co%20x").status_code == 400
    done = directory.patch("Groups/water:head", {"op": "add", "path": "members", "value": [{"value": pk}]})
    assert pk in {one["value"] for one in done.json()["members"]}
    assert held(pk) == {"clerk", "head"}
    directory.patch("Groups/water:head", {"op": "Remove", "path": f'members[value eq "{pk}"]'})
    assert held(pk) == {"clerk"}
    directory.send("PUT", "Groups/water:head", {"members": [{"value": pk}]})
    assert "head" in held(pk)
    stranger = str(world.staff["dispatcher"].pk)
    assert directory.patch("Groups/water:head", {"op": "add", "path": "members", "value": [{"value": stranger}]}).status_code == 400
    assert directory.patch("Groups/water:head", {"op": "add", "value": {"colour": "x"}}).json()["scimType"] == "invalidPath"
    for path, method, status in (("Groups/water:operator", "GET", 404), ("Groups/none:clerk", "GET", 404), ("Groups", "POST", 405),
                                 ("Groups/water:clerk", "DELETE", 405)):
        assert directory.send(method, path, {}).status_code == status


def test_another_units_administrator_sees_that_unit_only(world: World) -> None:
    person = world.staff["water"]
    RoleGrant.objects.create(staff=person, role="administrator", unit=world.units["water"])
    directory = Directory(token(world, "water", "scim"))
    seen = directory.get("Users")["Resources"]
    assert {one[STAFF]["unit"] for one in seen} == {"water"}
    other = world.staff["dispatcher"].pk
    assert directory.send("GET", f"Users/{other}").status_code == 404
    made = directory.send("POST", "Users", {"userName": "zhao", "displayName": "赵", "externalId": "z-1"}).json()
    assert made[STAFF] == {"unit": "water"}
    whole = Directory(token(world, "admin", "scim"))
    assert "externalId" not in whole.get(f"Users/{made['id']}")  # another directory's name for the same person is its own
    assert whole.patch(f"Users/{made['id']}", {"op": "add", "path": "externalId", "value": "h-9"}).json()["externalId"] == "h-9"
    assert directory.get(f"Users/{made['id']}")["externalId"] == "z-1"
    assert directory.patch(f"Users/{made['id']}", {"op": "replace", "path": f"{STAFF}:unit", "value": "hotline"}).status_code == 403
    assert Staff.objects.get(username="zhao").unit == world.units["water"]
    assert directory.send("POST", "Users", {"userName": "qian", "displayName": "钱", STAFF: {"unit": "urban"}}).status_code == 403
    assert not Staff.objects.filter(username="qian").exists()


def test_a_unit_that_ends_later_has_its_groups_until_then(directory: Directory, world: World, monday: Frozen) -> None:
    Unit.objects.filter(code="water").update(active_to=date(2026, 11, 24))
    assert directory.get('Groups?filter=id%20eq%20"water:clerk"')["totalResults"] == 1
    monday.move(hours=14, minutes=30)  # half past midnight in the city, and still the day before in Greenwich
    assert directory.get('Groups?filter=id%20eq%20"water:clerk"')["totalResults"] == 0
    assert directory.send("POST", "Users", {"userName": "sun", "displayName": "孙", STAFF: {"unit": "water"}}).status_code == 400
