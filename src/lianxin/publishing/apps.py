from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PublishingConfig(AppConfig):
    name = "lianxin.publishing"
    label = "publishing"
    verbose_name = _("公开数据")
    default_auto_field = "django.db.models.BigAutoField"
