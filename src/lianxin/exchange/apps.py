from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ExchangeConfig(AppConfig):
    name = "lianxin.exchange"
    label = "exchange"
    verbose_name = _("外部系统")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from lianxin.cases.engine import WRITTEN
        from lianxin.cases.keys import SEALED
        from lianxin.kernel.queues import QUEUES
        from lianxin.kernel.sending import register

        from . import delivering, following, outbox
        from .models import Letter, Link, Picture, System

        for sealed in ((System, "exchange_system", ("key",)), (Letter, "exchange_letter", ("body",)),
                       (Link, "exchange_link", ("proposal",)), (Picture, "exchange_picture", ("address",))):
            if sealed not in SEALED:
                SEALED.append(sealed)
        if following.written not in WRITTEN:
            WRITTEN.append(following.written)
        if outbox.queues not in QUEUES:
            QUEUES.append(outbox.queues)
        register("exchange", sender=delivering.sender, once=delivering.once)
