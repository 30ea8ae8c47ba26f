"""What this service provider is and what its resources look like (RFC 7643, sections 5 to 7)."""

from __future__ import annotations

from typing import Any

from lianxin.organisations.models import Role

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
STAFF = "urn:lianxin:params:scim:schemas:extension:2.0:Staff"
LIST = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
SEARCH = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"
MOST = 200  # resources of one page
USUAL = 100


def _attribute(name: str, words: str, kind: str = "string", *, many: bool = False, needed: bool = False, mutable: str = "readWrite",
               unique: str = "none", exact: bool = False, parts: list[dict[str, Any]] | None = None,
               values: list[str] | None = None, returned: str = "default") -> dict[str, Any]:
    made: dict[str, Any] = {"name": name, "type": kind, "multiValued": many, "description": words, "required": needed,
                            "mutability": mutable, "returned": returned}
    if kind in ("string", "reference"):
        made |= {"caseExact": exact, "uniqueness": unique}
    if parts is not None:
        made["subAttributes"] = parts
    if values is not None:
        made["canonicalValues"] = values
    return made


def _members(words: str, *, mutable: str) -> list[dict[str, Any]]:
    return [_attribute("value", words, mutable=mutable, exact=True),
            _attribute("$ref", "Its address.", "reference", mutable="readOnly", exact=True) | {"referenceTypes": ["User", "Group"]},
            _attribute("display", "Its name.", mutable="readOnly")]


def schemas(root: str) -> list[dict[str, Any]]:
    user = [
        _attribute("userName", "What the person signs in with; cannot be changed.", needed=True, mutable="immutable", unique="server"),
        _attribute("displayName", "The person's name."),
        _attribute("name", "The person's name; without `formatted` the family name and the given name are put together.", "complex", parts=[
            _attribute("formatted", "The whole name."), _attribute("familyName", "Family name.", mutable="writeOnly", returned="never"),
            _attribute("givenName", "Given name.", mutable="writeOnly", returned="never")]),
        _attribute("active", "Whether the person may sign in.", "boolean"),
        _attribute("emails", "One address.", "complex", many=True, parts=[
            _attribute("value", "The address."), _attribute("type", "`work`.", values=["work"]),
            _attribute("primary", "Always true.", "boolean")]),
        _attribute("roles", "Roles held in the person's unit.", "complex", many=True, parts=[
            _attribute("value", "The role's code.", values=list(Role.values)), _attribute("display", "Its name.", mutable="readOnly")]),
        _attribute("groups", "The groups of unit and role the person is in.", "complex", many=True, mutable="readOnly",
                   parts=_members("The group's id.", mutable="readOnly")),
    ]
    group = [
        _attribute("displayName", "Unit and role.", needed=True, mutable="readOnly"),
        _attribute("members", "Who holds the role in the unit.", "complex", many=True,
                   parts=_members("The user's id.", mutable="immutable")),
    ]
    staff = [_attribute("unit", "Code of the person's unit; the token's unit when absent.", exact=True)]
    return [
        _schema(root, USER, "User", "A member of staff.", user),
        _schema(root, GROUP, "Group", "Those who hold one role in one unit.", group),
        _schema(root, STAFF, "Staff", "Where a member of staff works.", staff),
    ]


def _schema(root: str, urn: str, name: str, words: str, attributes: list[dict[str, Any]]) -> dict[str, Any]:
    return {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Schema"], "id": urn, "name": name, "description": words,
            "attributes": attributes, "meta": {"resourceType": "Schema", "location": f"{root}/Schemas/{urn}"}}


def resource_types(root: str) -> list[dict[str, Any]]:
    kind = "urn:ietf:params:scim:schemas:core:2.0:ResourceType"

    def made(name: str, path: str, schema: str, words: str, **more: Any) -> dict[str, Any]:
        return {"schemas": [kind], "id": name, "name": name, "endpoint": path, "description": words, "schema": schema, **more,
                "meta": {"resourceType": "ResourceType", "location": f"{root}/ResourceTypes/{name}"}}

    return [made("User", "/Users", USER, "A member of staff.", schemaExtensions=[{"schema": STAFF, "required": False}]),
            made("Group", "/Groups", GROUP, "Those who hold one role in one unit.")]


def provider(root: str) -> dict[str, Any]:
    off = {"supported": False}
    return {
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"],
        "documentationUri": "https://www.rfc-editor.org/rfc/rfc7644",
        "patch": {"supported": True}, "bulk": {"supported": False, "maxOperations": 0, "maxPayloadSize": 0},
        "filter": {"supported": True, "maxResults": MOST}, "changePassword": off, "sort": off, "etag": off,
        "authenticationSchemes": [{"type": "oauthbearertoken", "name": "Bearer token", "primary": True,
                                   "description": "A token with the scope `scim`, made at the desk in the name of an administrator."}],
        "meta": {"resourceType": "ServiceProviderConfig", "location": f"{root}/ServiceProviderConfig"},
    }
