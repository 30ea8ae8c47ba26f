"""`/places/`: map layers and lists of areas."""

from django.urls import path

from . import views

app_name = "places"
urlpatterns = [
    path("<slug:name>.geojson", views.whole_city, name="layer"),
    path("within/<str:parent>.geojson", views.within, name="within"),
    path("children/<str:parent>.json", views.children, name="children"),
]
