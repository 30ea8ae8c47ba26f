"""`/field/`: the shell, its worker and files, and the three things a browser with a session asks before a telephone is enrolled."""

from django.urls import path

from . import views

app_name = "field"
urlpatterns = [
    path("", views.shell, name="home"),
    path("sw.js", views.service_worker, name="service_worker"),
    path("manifest.webmanifest", views.manifest, name="manifest"),
    path("session", views.session, name="session"),
    path("enrol", views.enrol, name="enrol"),
    path("app/<slug:version>/<path:name>", views.file, name="file"),
]
