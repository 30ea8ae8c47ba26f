from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class Open311Config(AppConfig):
    name = "lianxin.open311"
    label = "open311"
    verbose_name = _("Open311")

    def ready(self) -> None:
        from . import asked  # noqa: F401 - names its scope also where no middleware is loaded
