"""Faults in SCIM's form (RFC 7644, section 3.12)."""

from __future__ import annotations

from typing import Any

from lianxin.kernel.errors import DomainError

ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"


class ScimFault(Exception):
    """A request that is answered with an error. `kind` is the `scimType`, where the RFC has one for it."""

    def __init__(self, status: int, detail: str, kind: str = "") -> None:
        self.status, self.detail, self.kind = status, detail, kind
        super().__init__(detail)

    def body(self) -> dict[str, Any]:
        made: dict[str, Any] = {"schemas": [ERROR], "status": str(self.status), "detail": self.detail}
        return made | ({"scimType": self.kind} if self.kind else {})


def of(error: DomainError) -> ScimFault:
    """A fault of ours: a taken username is `uniqueness`, a value that cannot be taken `invalidValue` with 400."""
    faults = "; ".join(f"{name}: {words}" for name, words in error.fields.items() if words)
    detail = f"{error.message} ({faults})" if faults else str(error.message)
    if error.status == 409:
        return ScimFault(409, detail, "uniqueness" if "username" in error.fields else "")
    if error.status == 422:
        return ScimFault(400, detail, "invalidValue")
    return ScimFault(error.status, detail)
