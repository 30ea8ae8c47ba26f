"""The start of a process, and the garbage collector."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def kept() -> Iterator[None]:
    """What is made within stays for the life of the process, as modules and models do.

    Importing makes hundreds of thousands of objects and hardly any garbage: looking for some again and again costs a fifth of a start.
    So nothing is collected meanwhile, and what is there at the end is not walked by later collections either.
    """
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if collects:
            gc.enable()
