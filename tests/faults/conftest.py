"""Signed-in clients, as at the desk."""

from tests.desk.conftest import as_

__all__ = ["as_"]
