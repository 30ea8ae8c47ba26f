"""Paths under /api/v1/."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from . import document, photos
from .service import api

urlpatterns: list[URLPattern | URLResolver] = [
    path("openapi.json", document.view, name="openapi"),
    path("exchange/photos/<str:key>", photos.photo, name="exchange_photo"),
    path("", api.urls),
]
