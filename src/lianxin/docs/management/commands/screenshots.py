"""`lianxin screenshots`: take the documentation's pictures from a running demo."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from lianxin.docs.settings import CHECKOUT
from lianxin.docs.tour import Tour, demo_of
from lianxin.kernel.browsers import chromium

PARTS = {"walk": "walk", "faces": "faces", "field": "field", "linkage": "linkage", "open": "open_to_others"}


class Command(BaseCommand):
    help = "Take the pictures of the documentation from a running demo, walking the tutorial in a real browser."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--demo", type=Path, help="data directory of the running demo; default var/demo")
        parser.add_argument("--to", type=Path, help="where the pictures go; default docs/images")
        parser.add_argument("--only", choices=list(PARTS),
                            help="the tutorial's steps, the other screens, a grid worker's telephone, two desks, or what is open to all")

    def handle(self, *args: Any, **options: Any) -> None:
        data: Path = options["demo"] or Path(settings.DATA)
        to: Path = options["to"] or CHECKOUT / "docs" / "images"
        try:
            from playwright.sync_api import Error, sync_playwright
        except ImportError as error:
            raise CommandError("Playwright is not installed: ./run test installs it") from error
        try:
            demo = demo_of(data)
        except (OSError, ValueError) as error:
            raise CommandError(f"no demo in {data}: start ./run demo first, or name it with --demo ({error})") from error
        taken: list[int] = []

        def told(name: str, size: int) -> None:
            taken.append(size)
            self.stdout.write(f"{name:<28} {size // 1000:>4} kB")

        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=chromium() or None,
                args=["--no-sandbox", "--disable-dev-shm-usage", "--font-render-hinting=none"],
            )
            tour = Tour(browser, demo, to, told)
            try:
                for part in [options["only"]] if options["only"] else PARTS:
                    getattr(tour, PARTS[part])()
            except (Error, AssertionError, LookupError) as error:
                raise CommandError(f"the walk stopped: {str(error).splitlines()[0]}") from error
            finally:
                browser.close()
        self.stdout.write(f"{len(taken)} pictures, {sum(taken) / 1_000_000:.2f} MB, in {to}")
