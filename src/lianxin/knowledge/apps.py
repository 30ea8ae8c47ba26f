from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class KnowledgeConfig(AppConfig):
    name = "lianxin.knowledge"
    label = "knowledge"
    verbose_name = _("知识库")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from lianxin.cases.actions.dispatching import ARTICLES

        from .actions import answered_with

        if answered_with not in ARTICLES:
            ARTICLES.append(answered_with)
