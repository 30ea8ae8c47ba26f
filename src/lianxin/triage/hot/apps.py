from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class HotConfig(AppConfig):
    name = "lianxin.triage.hot"
    label = "hot"
    verbose_name = _("热点")
    default_auto_field = "django.db.models.BigAutoField"
