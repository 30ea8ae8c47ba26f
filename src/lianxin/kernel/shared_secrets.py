"""Secrets that are shared with somebody outside, sealed in a table of the context that has them: two are valid while one is changed."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Generic, TypeVar

from django.db import models
from django.db.models import Q

from . import signatures
from .clock import now
from .crypto import decrypt, encrypt
from .ids import uuid7

Row = TypeVar("Row", bound=models.Model)


class SharedSecrets(Generic[Row]):
    """A table with `id`, `secret`, `hint`, `valid_from`, `valid_to` and the field `owner`. `seal` is the first part of the context under
    which its secrets are sealed, as `cases.keys.SEALED` has it."""

    def __init__(self, table: type[Row], owner: str, seal: str) -> None:
        self.table, self.owner, self._seal = table, owner, seal

    def _context(self, pk: object) -> str:
        return f"{self._seal}:{pk}:secret"

    def rows(self, *, at: datetime | None = None, **which: Any) -> models.QuerySet[Row]:
        """What is valid now, newest first."""
        moment = at or now()
        held = Q(valid_from__lte=moment) & (Q(valid_to__isnull=True) | Q(valid_to__gt=moment))
        return self.table._default_manager.filter(held, **which).order_by("-valid_from", "-id")

    def opened(self, row: Any) -> str:
        """A secret as both sides write it down."""
        return decrypt(bytes(row.secret), context=self._context(row.pk))

    def of(self, owner: models.Model, *, at: datetime | None = None) -> list[str]:
        """The secrets that are valid now, newest first."""
        return [self.opened(row) for row in self.rows(at=at, **{self.owner: owner})]

    def add(self, owner: models.Model, secret: str | None = None) -> tuple[Row, str]:
        """One more secret, valid from now: a new one, or what the other side gave. Returns it once; it is kept sealed. Raises Invalid."""
        said, pk = signatures.fresh() if secret is None else signatures.checked(secret), uuid7()
        row = self.table(**{self.owner: owner}, id=pk, secret=encrypt(said, context=self._context(pk)), hint=said[-4:], valid_from=now())
        row.save(force_insert=True)
        return row, said
