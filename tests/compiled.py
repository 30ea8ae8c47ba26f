"""The test files are compiled once, before the processes that run them begin.

With `-n` each of those collects every test. From nothing each would read, take apart and compile each file by itself to see why
an assert failed: half a minute of a core, as many times as there are processes, all at the same time.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from pathlib import Path

import pytest
from _pytest.assertion import assertstate_key, rewrite

from tests.shares import ROOT


def _compile(config: pytest.Config, files: list[Path]) -> None:
    """As pytest does it when it imports a file, and kept where it looks for it: by the hash of the file."""
    for path in files:
        kept = rewrite.get_cache_dir(path) / (path.stem + rewrite.PYC_TAIL)
        if rewrite._read_pyc(path, kept) is None and rewrite.try_makedirs(kept.parent):
            source_hash, code = rewrite._rewrite_test(path, config)
            rewrite._write_pyc(config.stash[assertstate_key], code, source_hash, kept)


def compile_all(config: pytest.Config) -> None:
    """Every file whose asserts pytest rewrites; on every core, in processes of their own. Nothing where no bytecode is kept."""
    if sys.dont_write_bytecode or assertstate_key not in config.stash:
        return
    files = sorted({path for name in ("test_*.py", "conftest.py") for path in (ROOT / "tests").rglob(name)})
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
    fork = multiprocessing.get_context("fork")
    parts = [fork.Process(target=_compile, args=(config, files[one::cores])) for one in range(cores)]
    for part in parts:
        part.start()
    for part in parts:
        part.join()
