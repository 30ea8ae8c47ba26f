"""The resident's face: no login anywhere, no personal data in any address."""

from django.urls import path

from .views import answers, danger, listings, mine, pages, public, say, uploads

app_name = "portal"
urlpatterns = [
    path("", pages.home, name="home"),
    path("say/", say.say, name="say"),
    path("say/listen/", say.listen, name="listen"),
    path("say/danger.<slug:digest>.json", danger.danger, name="danger"),
    path("say/where/", say.where, name="where"),
    path("say/redact/", say.redact, name="redact"),
    path("say/upload/", uploads.upload, name="upload"),
    path("say/thumbnail/<str:token>/", uploads.thumbnail, name="thumbnail"),
    path("answer/", mine.answer, name="answer"),
    path("track/", mine.track, name="track"),
    path("mine/", mine.case, name="mine"),
    path("mine/leave/", mine.leave, name="leave"),
    path("mine/file/<uuid:pk>/", mine.file, name="file"),
    path("mine/<str:name>/", mine.act, name="act"),
    path("public/", public.cases, name="public"),
    path("public/map/", public.map_page, name="map"),
    path("public/places.geojson", public.places, name="places"),
    path("public/<str:number>/", public.case, name="public_case"),
    path("listings/", listings.listings, name="listings"),
    path("listings/<int:year>/<int:serial>/", listings.listing, name="listing"),
    path("help/", answers.answers, name="answers"),
    path("help/<str:code>/", answers.help_answer, name="help_answer"),
    path("city/", pages.city, name="city"),
    path("about/", pages.about, name="about"),
    path("privacy/", pages.privacy, name="privacy"),
    path("accessibility/", pages.accessibility, name="accessibility"),
]
