from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class QualityConfig(AppConfig):
    name = "lianxin.quality"
    label = "quality"
    verbose_name = _("质量")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from lianxin.cases.families import CALLS

        from .campaigns import draw

        if draw not in CALLS:
            CALLS.append(draw)
