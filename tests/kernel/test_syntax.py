"""Source is parsed whole, whatever the garbage collector would do meanwhile."""

from __future__ import annotations

import ast
import gc
import inspect
from collections.abc import Iterator

import pytest

from lianxin.kernel.syntax import parsed

SOURCE = inspect.getsource(ast)


def at_depth(frames: int) -> str:
    return at_depth(frames - 1) if frames else ast.dump(ast.parse("a[0] + 1"))


class Leftover:
    """Something that only the collector ends, and that parses when it is ended, far down, as printing a traceback does."""

    def __init__(self, ended: list[str]) -> None:
        self.itself, self.ended = self, ended

    def __del__(self) -> None:
        self.ended.append(at_depth(20))


@pytest.fixture
def eager() -> Iterator[None]:
    """The collector runs after every few hundred objects: a tree of a long source has thousands."""
    before = gc.get_threshold()
    gc.collect()
    gc.set_threshold(300)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def test_what_is_collected_meanwhile_does_not_spoil_the_tree(eager: None) -> None:
    ended: list[str] = []
    gc.collect()
    Leftover(ended)
    assert not ended, "it is there when the parsing begins"
    tree = parsed(SOURCE)
    assert any(isinstance(node, ast.FunctionDef) and node.name == "literal_eval" for node in tree.body)
    gc.collect()
    assert len(ended) == 1


@pytest.mark.parametrize("source", ["a = 1", "a ="])
def test_the_collector_is_left_as_it_was(source: str) -> None:
    for collects in (True, False):
        (gc.enable if collects else gc.disable)()
        try:
            if source.endswith("="):
                with pytest.raises(SyntaxError):
                    parsed(source)
            else:
                assert len(parsed(source).body) == 1
            assert gc.isenabled() is collects
        finally:
            gc.enable()
