"""The resident's face: no login anywhere, no personal data in any address."""

from django.urls import path
from django.views.generic import RedirectView

from .views import answers, danger, follow, listings, mine, pages, performance, places, public, say, uploads

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
    path("public/<str:number>/", public.case, name="public_case"),
    path("area/", places.find, name="area_find"),
    path("area/<str:code>/", places.area, name="area"),
    path("area/<str:code>/figures.<str:kind>", places.figures, name="area_figures"),
    path("performance/", performance.performance, name="performance"),
    path("performance/figures.<str:kind>", performance.figures, name="performance_figures"),
    path("embed/area/<str:code>/", places.embedded_area, name="embed_area"),
    path("embed/performance/", performance.embedded_performance, name="embed_performance"),
    path("feeds/all.atom", follow.feed, name="feed"),
    path("feeds/area/<str:area>.atom", follow.feed, name="feed_area"),
    path("feeds/category/<str:category>.atom", follow.feed, name="feed_category"),
    path("feeds/area/<str:area>/category/<str:category>.atom", follow.feed, name="feed_both"),
    path("follow/", follow.follow, name="follow"),
    path("follow/sent/", follow.sent, name="follow_sent"),
    path("follow/push/", follow.follow_push, name="follow_push"),
    path("follow/push/end/", follow.end_push, name="end_push"),
    path("follow/worker.js", follow.worker, name="follow_worker"),
    path("follow/confirm/<str:token>/", follow.confirm, name="follow_confirm"),
    path("follow/end/<str:token>/", follow.end, name="follow_end"),
    path("listings/", listings.listings, name="listings"),
    path("listings/<int:year>/<int:serial>/", listings.listing, name="listing"),
    path("help/", answers.answers, name="answers"),
    path("help/<str:code>/", answers.help_answer, name="help_answer"),
    path("city/", RedirectView.as_view(pattern_name="portal:performance", permanent=True), name="city"),
    path("about/", pages.about, name="about"),
    path("privacy/", pages.privacy, name="privacy"),
    path("accessibility/", pages.accessibility, name="accessibility"),
]
