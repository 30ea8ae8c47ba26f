from django.apps import AppConfig


class LiveConfig(AppConfig):
    """Has no tables; here for its command."""

    name = "lianxin.live"
    label = "live"
