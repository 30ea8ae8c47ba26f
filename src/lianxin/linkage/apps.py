from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class LinkageConfig(AppConfig):
    name = "lianxin.linkage"
    label = "linkage"
    verbose_name = _("联动")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from lianxin.cases.keys import SEALED

        from .models import Handover, HandoverStep, Outgoing, PartnerSecret

        for sealed in ((PartnerSecret, "partner_secret", ("secret",)), (Handover, "handover", ("payload",)),
                       (HandoverStep, "handover_step", ("words",)), (Outgoing, "outgoing", ("body",))):
            if sealed not in SEALED:
                SEALED.append(sealed)
