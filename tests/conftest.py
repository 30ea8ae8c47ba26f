"""Fixtures every test may use; the server is started by tests/bootstrap.py, which pytest loads before Django."""

pytest_plugins = ["tests.fixtures", "tests.browser"]
