"""Addresses below /scim/v2/."""

from __future__ import annotations

from django.urls import URLPattern, path, re_path

from . import views

urlpatterns: list[URLPattern] = [
    path("ServiceProviderConfig", views.service_provider_config, name="scim"),
    path("ResourceTypes", views.resource_types),
    path("ResourceTypes/<str:pk>", views.resource_types),
    path("Schemas", views.schema_list),
    path("Schemas/<str:pk>", views.schema_list),
    path("Users", views.users),
    path("Users/.search", views.search_users),
    path("Users/<str:pk>", views.user),
    path("Groups", views.groups),
    path("Groups/<str:pk>", views.group),
    re_path(r"^(?P<rest>.*)$", views.unknown),
]
