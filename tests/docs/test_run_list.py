"""The list of tests that are run again on the oldest PostgreSQL names tests that exist."""

from __future__ import annotations

from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader

from tests.docs.prose import ROOT


def test_what_is_run_again_on_the_oldest_postgresql_is_there() -> None:
    loader = SourceFileLoader("run_script", str(ROOT / "run"))
    spec = spec_from_loader(loader.name, loader)
    assert spec is not None
    script = module_from_spec(spec)
    loader.exec_module(script)
    assert len(set(script.ON_THE_OLDEST)) == len(script.ON_THE_OLDEST) > 20
    for named in script.ON_THE_OLDEST:
        path, _colons, test = named.partition("::")
        body = (ROOT / path).read_text(encoding="utf-8")
        assert f"def {test or 'test_'}" in body, named
