from django.apps import AppConfig


class PublishingConfig(AppConfig):
    name = "lianxin.publishing"
    label = "publishing"
