"""CHECK constraints that models share."""

from __future__ import annotations

from enum import StrEnum

from django.db import models


def one_of(name: str, column: str, choices: type[models.TextChoices] | type[StrEnum], *, blank: bool = False) -> models.CheckConstraint:
    """The column holds one of its choices, or with `blank` nothing: what a form checks, the database checks as well."""
    return models.CheckConstraint(
        name=name, condition=models.Q(**{f"{column}__in": [*([""] if blank else []), *(one.value for one in choices)]})
    )
