"""Addresses of the one program."""

from django.urls import path

from .views import control, screen, wire

urlpatterns = [
    path("linkage/v1/messages", wire.messages),
    path("linkage/v1/schema.json", wire.schema),
    path("", screen.board, name="board"),
    path("part/board", screen.board_part, name="board-part"),
    path("part/line", screen.line_part, name="line-part"),
    path("stream", screen.stream, name="stream"),
    path("matters", screen.matters, name="matters"),
    path("matters/<uuid:key>", screen.matter, name="matter"),
    path("matters/<uuid:key>/offer", screen.offer, name="offer"),
    path("handovers/<uuid:key>/<slug:act>", screen.act, name="act"),
    path("new", screen.new, name="new"),
    path("line", screen.line, name="line"),
    path("rules", screen.rules, name="rules"),
    path("conduct", screen.misbehaviour, name="conduct"),
    path("seat", screen.seat, name="seat"),
    path("control", control.control),
    path("api/seen", control.seen),
    path("api/matters", control.matters),
    path("api/matters/<uuid:key>", control.matter),
    path("api/offers", control.offers),
    path("api/handovers/<uuid:key>/<slug:act>", control.act),
    path("api/figures", control.figures),
    path("healthz", control.healthz),
]
handler404 = "lianxin_110_desk.views.screen.not_found"
