"""Python source as a tree, also where the garbage collector runs at a bad moment."""

from __future__ import annotations

import ast
import gc
from threading import RLock

_ALONE = RLock()


def parsed(source: str) -> ast.Module:
    """The tree of `source`. Raises SyntaxError for what is no Python.

    CPython 3.11 counts the depth of the tree that it builds in one place for the whole interpreter. When the collector runs
    meanwhile and a finalizer parses something – as printing a traceback does – the count is off, and the tree is lost to
    "SystemError: AST constructor recursion depth mismatch" (python/cpython#106905). So nothing is collected meanwhile; a
    thread of its own would not help.
    """
    with _ALONE:
        collects = gc.isenabled()
        gc.disable()
        try:
            return ast.parse(source)
        finally:
            if collects:
                gc.enable()
