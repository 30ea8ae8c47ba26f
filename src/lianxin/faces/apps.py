from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class FacesConfig(AppConfig):
    name = "lianxin.faces"
    label = "faces"
    verbose_name = _("界面")
