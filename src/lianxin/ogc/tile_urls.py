"""`/tiles/`: vector tiles of public cases."""

from django.urls import path

from . import tile_views

app_name = "tiles"
urlpatterns = [
    path("cases.json", tile_views.tilejson, name="cases"),
    path("cases/<str:zoom>/<str:x>/<str:y>.mvt", tile_views.tile, name="tile"),
    path("<path:rest>", tile_views.nothing),
]
