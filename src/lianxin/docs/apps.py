from django.apps import AppConfig


class DocsConfig(AppConfig):
    name = "lianxin.docs"
    label = "docs"
    verbose_name = "Documentation"
