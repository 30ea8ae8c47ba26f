from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class WebhooksConfig(AppConfig):
    name = "lianxin.webhooks"
    label = "webhooks"
    verbose_name = _("订阅")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from lianxin.cases.keys import SEALED

        from .models import Channel, Follow, PushKey, SubscriptionSecret

        for sealed in ((SubscriptionSecret, "subscription_secret", ("secret",)), (Follow, "follow", ("address",)),
                       (Channel, "news_channel", ("address",)), (PushKey, "push_key", ("private",))):
            if sealed not in SEALED:
                SEALED.append(sealed)

        from lianxin.kernel import queues, sending

        from . import queue

        sending.register("webhooks", sender=queue.sender, once=queue.once)
        if queue.standings not in queues.QUEUES:
            queues.QUEUES.append(queue.standings)
