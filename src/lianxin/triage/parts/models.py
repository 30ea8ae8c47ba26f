"""`triage models`: every version that was kept, the newest first."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any, Final

from django.core.management.base import OutputWrapper
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

HELP: Final = "every version of the model, the newest first"


def add(parser: ArgumentParser) -> None:
    """It takes nothing."""


def run(options: dict[str, Any], out: OutputWrapper) -> None:
    from lianxin.triage.models import LearntModel

    held = list(LearntModel.objects.order_by("-number"))
    if not held:
        out.write(_("还没有训练过模型，事项只按关键词提示。"))
    for model in held:
        f1 = model.measured.get("macro_f1")
        out.write(f"{'*' if model.in_force else ' '} {model.number:>3}  {localtime(model.kept_at):%Y-%m-%d %H:%M}  "
                  f"{'—' if f1 is None else format(f1, '.3f')}  {model.source}")
