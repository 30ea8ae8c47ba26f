"""The one application."""

from django.apps import AppConfig


class DeskConfig(AppConfig):
    name = "lianxin_110_desk"
    label = "desk"
