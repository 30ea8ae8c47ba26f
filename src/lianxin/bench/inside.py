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

    from . import city, fill
    from .parts import MODULES, SHOWN, Run, measure
    from .results import Results

    console, results, began = Console(stderr=True), Results(), time.monotonic()

    def tell(what: str) -> None:
        console.print(f"{time.monotonic() - began:6.0f} s  {what}", highlight=False)

    run = Run(city.make(), sorted({int(size) for size in chosen.sizes.split(",")}), chosen.seconds, chosen.quick, tell)
    fill.prepare()
    wanted: list[str] = chosen.only.split(",")
    for part in MODULES:
        if part in wanted:
            results.add(*measure(part, run))
    results.sort(SHOWN)
    results.show(Console(width=None if sys.stdout.isatty() else 220))
    if chosen.write:
        results.write(chosen.write, now(), time.monotonic() - began)
    return 0


if __name__ == "__main__":
    try:
        raise SystemExit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        raise SystemExit(130) from None
