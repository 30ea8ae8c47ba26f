from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class TelephonyConfig(AppConfig):
    name = "lianxin.telephony"
    label = "telephony"
    verbose_name = _("话务")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from lianxin.cases.keys import SEALED

        from .models import Call

        if not any(model is Call for model, _context, _fields in SEALED):
            SEALED.append((Call, "call", ("number",)))
