"""Fixtures every test may use; the server is started by tests/bootstrap.py, which pytest loads before Django."""

from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.fixtures", "tests.browser"]

# How long an example takes says how busy the machine is, not whether the property holds.
settings.register_profile("lianxin", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("lianxin")
