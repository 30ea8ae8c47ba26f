from typing import Any

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class LinkageConfig(AppConfig):
    name = "lianxin.linkage"
    label = "linkage"
    verbose_name = _("联动")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from lianxin.cases.handing_over import MOVES, OFFERS, PARTNERS, WITHDRAWALS
        from lianxin.cases.keys import SEALED
        from lianxin.kernel.queues import QUEUES
        from lianxin.kernel.sending import register

        # What is imported here registers itself for the messages it takes.
        from . import delivering, following, hearing, offering, outbox  # noqa: F401
        from .models import Handover, HandoverStep, Outgoing, PartnerSecret

        for sealed in ((PartnerSecret, "partner_secret", ("secret",)), (Handover, "handover", ("payload",)),
                       (HandoverStep, "handover_step", ("words",)), (Outgoing, "outgoing", ("body",))):
            if sealed not in SEALED:
                SEALED.append(sealed)
        hooks: tuple[tuple[list[Any], Any], ...] = (
            (OFFERS, offering.offer), (WITHDRAWALS, offering.withdraw), (MOVES, following.follow), (PARTNERS, offering.choices),
            (QUEUES, outbox.standings))
        for hooked, hook in hooks:
            if hook not in hooked:
                hooked.append(hook)
        register("linkage", sender=delivering.swept_sender, once=delivering.once)
