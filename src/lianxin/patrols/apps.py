from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PatrolsConfig(AppConfig):
    name = "lianxin.patrols"
    label = "patrols"
    verbose_name = _("巡查")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from lianxin.cases.files import HELD

        from . import items, sections  # noqa: F401 - what telephones send and are given
        from .queries import photos_held

        if photos_held not in HELD:
            HELD.append(photos_held)
