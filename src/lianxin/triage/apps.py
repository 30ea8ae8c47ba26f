from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class TriageConfig(AppConfig):
    name = "lianxin.triage"
    label = "triage"
    verbose_name = _("听懂诉求")
    default_auto_field = "django.db.models.BigAutoField"
