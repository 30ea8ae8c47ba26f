from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class OperationsConfig(AppConfig):
    name = "lianxin.operations"
    label = "operations"
    verbose_name = _("运行维护")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from . import telemetry

        telemetry.start()
