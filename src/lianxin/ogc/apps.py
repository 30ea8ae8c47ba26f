from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class OgcConfig(AppConfig):
    name = "lianxin.ogc"
    label = "ogc"
    verbose_name = _("地图服务")
    default_auto_field = "django.db.models.BigAutoField"
