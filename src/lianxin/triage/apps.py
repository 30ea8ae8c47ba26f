from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class TriageConfig(AppConfig):
    name = "lianxin.triage"
    label = "triage"
    verbose_name = _("听懂诉求")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from lianxin.fieldwork.case_items import BLACKED_OUT

        from .personal import masked

        if masked not in BLACKED_OUT:
            BLACKED_OUT.append(masked)
