"""The measuring process: it works inside the stage that the command `bench` has set up, on an empty database."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from pathlib import Path

import django


def options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="lianxin bench")
    parser.add_argument("--only", required=True)
    parser.add_argument("--sizes", required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--write", type=Path)
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> int:
    """Run the parts asked for and print the table. A bar that is missed is shown, not an error."""
    chosen = options(arguments)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # which a shell's background would have switched off
    django.setup()
    from rich.console import Console

    from lianxin.kernel.clock import now

    from . import city, create, endpoints, fill, importing, lists
    from .results import Results

    parts: list[str] = chosen.only.split(",")
    sizes = sorted({int(size) for size in chosen.sizes.split(",")})
    console, results, began = Console(stderr=True), Results(), time.monotonic()

    def tell(what: str) -> None:
        console.print(f"{time.monotonic() - began:6.0f} s  {what}", highlight=False)

    made = city.make()
    fill.prepare()
    have = 0

    def grow(want: int) -> None:
        nonlocal have
        if want > have:
            tell(f"filling to {want:,} cases")
            fill.grow(made, have=have, want=want)
            have = want

    if "queries" in parts or "lists" in parts:
        grow(sizes[0])
    if "queries" in parts:
        tell("ten endpoints: queries and CPU")
        results.add(*endpoints.measure(made, times=8 if chosen.quick else 40))
    if "lists" in parts:
        readings = []
        for size in sizes:
            grow(size)
            tell(f"lists, cases and search at {size:,}")
            readings.append(lists.measure(made, size, times=8 if chosen.quick else 60))
        results.add(*lists.rows(readings))
    if "create" in parts or "import" in parts:
        fill.empty()
        have = 0
        grow(sizes[0])
    if "create" in parts:
        tell("creates over HTTP and pgbench, by turns")
        results.add(*create.measure(made, seconds=chosen.seconds, rounds=1 if chosen.quick else 3))
    if "import" in parts:
        tell("import and COPY, by turns")
        results.add(*importing.measure(made, records=2_000 if chosen.quick else 20_000, rounds=1 if chosen.quick else 3))
    results.sort(("create", "lists", "search", "import", "queries"))
    results.show(Console(width=None if sys.stdout.isatty() else 220))
    if chosen.write:
        results.write(chosen.write, now(), time.monotonic() - began)
    return 0


if __name__ == "__main__":
    try:
        raise SystemExit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        raise SystemExit(130) from None
