"""PATCH (RFC 7644, section 3.5.2): operations as one wish, so that all of them are taken or none."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _

from .errors import ScimFault
from .resources import Wish, put, roles_of, text_of
from .schemas import PATCH, STAFF, USER

MOST = 100
PARTS = ("name.familyname", "name.givenname")  # as Chinese names are put together
_EMAIL = re.compile(r'emails(?:\[type eq "work"\]|\[primary eq true\])?(?:\.value)?', re.IGNORECASE)
_ROLE = re.compile(r'roles\[value eq "([a-z_]+)"\]', re.IGNORECASE)
_MEMBER = re.compile(r'members\[value eq "([0-9]{1,18})"\]', re.IGNORECASE)


def operations(body: dict[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """Operation in small letters, path and value. Raises ScimFault."""
    if PATCH not in body.get("schemas", ()):
        raise ScimFault(400, f"schemas: {PATCH}", "invalidSyntax")
    rows = body.get("Operations")
    if not isinstance(rows, list) or not 1 <= len(rows) <= MOST:
        raise ScimFault(400, _("Operations 应有 1 到 %d 项。") % MOST, "invalidSyntax")
    for row in rows:
        if not isinstance(row, dict) or str(row.get("op", "")).lower() not in ("add", "replace", "remove"):
            raise ScimFault(400, "op: add, replace, remove", "invalidSyntax")
        path = row.get("path") or ""
        if not isinstance(path, str):
            raise ScimFault(400, "path", "invalidPath")
        yield str(row["op"]).lower(), path.strip(), row.get("value")


def wish_of(body: dict[str, Any]) -> Wish:
    """What a PATCH of a user wants."""
    wish, parts = Wish(), dict[str, str]()
    for op, path, value in operations(body):
        if not path:
            _without_path(wish, op, value, parts)
        elif op == "remove":
            _removed(wish, path, value)
        else:
            _set(wish, op, path, value, parts)
    if parts and wish.name is None:  # beside a whole name they say nothing new
        if len(parts) < len(PARTS):
            raise ScimFault(400, _("姓名请用 displayName 或 name.formatted 整个写。"), "invalidPath")
        wish.name = "".join(parts[part] for part in PARTS) or None
    return wish


def _without_path(wish: Wish, op: str, value: Any, parts: dict[str, str]) -> None:
    if op == "remove":
        raise ScimFault(400, "remove", "noTarget")
    if not isinstance(value, dict):
        raise ScimFault(400, "value", "invalidValue")
    for name, part in value.items():
        _set(wish, op, name, part, parts)


def _set(wish: Wish, op: str, path: str, value: Any, parts: dict[str, str]) -> None:
    key = path.lower().removeprefix(f"{USER.lower()}:")
    if _EMAIL.fullmatch(key):
        put(wish, "emails", value)
    elif key == "roles" and op == "add":
        wish.more |= set(roles_of(value))
        wish.less -= wish.more
    elif _ROLE.fullmatch(key):
        raise ScimFault(400, path, "invalidPath")
    elif key in ("id", "meta", "groups", "schemas"):
        raise ScimFault(400, path, "mutability")
    elif key in ("username", "externalid", "displayname", "name", "name.formatted", "active", "roles", f"{STAFF.lower()}:unit",
                 STAFF.lower()):
        put(wish, key if key != f"{STAFF.lower()}:unit" else f"{STAFF}:unit", value)
    elif key in PARTS:
        parts[key] = text_of(value, path)
    # What we do not keep is passed over, as in a POST.


def _removed(wish: Wish, path: str, value: Any) -> None:
    key = path.lower().removeprefix(f"{USER.lower()}:")
    one = _ROLE.fullmatch(key)
    if _EMAIL.fullmatch(key):
        wish.email = ""
    elif key == "externalid":
        wish.external = ""
    elif one is not None:
        wish.less |= set(roles_of([one[1]]))
    elif key == "roles":
        if value:
            wish.less |= set(roles_of(value))
        else:
            wish.roles = []
    elif key in ("username", "displayname", "name", "name.formatted", "active", STAFF.lower(), f"{STAFF.lower()}:unit"):
        raise ScimFault(400, _("%s 不能去掉。") % path[:60], "mutability")


def members_of(value: Any) -> list[str]:
    """Ids in a list of members."""
    rows = value if isinstance(value, list) else [value]
    return [text_of(row.get("value") if isinstance(row, dict) else row, "members.value") for row in rows]


def member_changes(body: dict[str, Any], present: list[str]) -> tuple[list[str], list[str]]:
    """Who comes into a group and who leaves it by a PATCH, beside those who are in it."""
    after = dict.fromkeys(present)
    for op, path, value in operations(body):
        key = path.lower()
        one = _MEMBER.fullmatch(key)
        if not path and isinstance(value, dict):
            wrong = [name for name in value if name.lower() not in ("members", "displayname", "id", "schemas", "externalid")]
            if wrong:
                raise ScimFault(400, wrong[0], "invalidPath")
            if "members" not in value:
                continue
            key, value = "members", value["members"]
        if op == "remove" and one is not None:
            after.pop(one[1], None)
        elif key != "members":
            if key in ("displayname", "externalid"):
                continue  # named after unit and role; another name is not kept
            raise ScimFault(400, path, "invalidPath")
        elif op == "remove":
            for pk in members_of(value) if value else list(after):
                after.pop(pk, None)
        else:
            if op == "replace":
                after.clear()
            after |= dict.fromkeys(members_of(value))
    return [pk for pk in after if pk not in present], [pk for pk in present if pk not in after]
