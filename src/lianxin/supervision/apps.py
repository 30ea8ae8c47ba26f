from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SupervisionConfig(AppConfig):
    name = "lianxin.supervision"
    label = "supervision"
    verbose_name = _("督办")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from lianxin.cases.engine import ENDINGS

        from .actions import lapse

        if lapse not in ENDINGS:
            ENDINGS.append(lapse)
