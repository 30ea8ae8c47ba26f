"""Paths under /api/v1/."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from . import register

urlpatterns: list[URLPattern | URLResolver] = [path("cases", register.view)]
