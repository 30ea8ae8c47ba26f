from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CareConfig(AppConfig):
    name = "lianxin.care"
    label = "care"
    verbose_name = _("关爱登记")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from lianxin.cases.keys import SEALED

        from . import telephone  # noqa: F401 - says its kind of item and its section
        from .models import CareEntry, CareVisit
        from .sealing import ENTRY, VISIT

        for one in ((CareEntry, *ENTRY), (CareVisit, *VISIT)):
            if one not in SEALED:
                SEALED.append(one)
