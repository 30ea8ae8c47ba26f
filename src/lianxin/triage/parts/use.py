"""`triage use NUMBER`: which model reads from now on; running servers follow within seconds."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any, Final

from django.core.management.base import OutputWrapper
from django.utils.translation import gettext as _

HELP: Final = "which version reads from now on; `rules` for the keyword rules alone"


def add(parser: ArgumentParser) -> None:
    parser.add_argument("version", metavar="NUMBER", help="a version of `triage models`, or rules")


def run(options: dict[str, Any], out: OutputWrapper) -> None:
    from lianxin.kernel.errors import NotFound
    from lianxin.kernel.text import small_number
    from lianxin.triage import store

    if options["version"] == "rules":
        store.take_out()
        out.write(_("现在只按关键词听。"))
        return
    number = small_number(options["version"])
    if number is None:
        raise NotFound(_("没有第 %s 版模型。") % options["version"])
    store.put_in_force(number)
    out.write(_("现在由第 %d 版听。") % number)
