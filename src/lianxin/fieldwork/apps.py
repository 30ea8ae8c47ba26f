from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class FieldworkConfig(AppConfig):
    name = "lianxin.fieldwork"
    label = "fieldwork"
    verbose_name = _("现场工作")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # What is imported here registers its kinds of items and its sections.
        from . import case_items, inbox, sections  # noqa: F401
