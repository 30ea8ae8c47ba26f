from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class FieldworkConfig(AppConfig):
    name = "lianxin.fieldwork"
    label = "fieldwork"
    verbose_name = _("现场工作")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # What is imported here registers its kinds of items and its sections.
        from lianxin.cases.files import HELD
        from lianxin.cases.keys import SEALED

        from . import case_items, duty, grid_sections, inbox, sections  # noqa: F401
        from .models import Receipt
        from .uploads import held

        if held not in HELD:
            HELD.append(held)
        sealed = (Receipt, "receipt", ("body",))
        if sealed not in SEALED:
            SEALED.append(sealed)
