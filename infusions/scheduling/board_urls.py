"""The board and what is done on it."""

from django.urls import path

from infusions.scheduling import board_move_views, board_views, walk_in_views

urlpatterns = [
    path("board/", board_views.board, name="board"),
    path("board/now/", board_views.board_fragment, name="board-fragment"),
    path("board/walk-in/", walk_in_views.walk_in, name="walk-in"),
    path("appointments/<str:appointment_id>/move/preview/", board_move_views.move_preview, name="move-preview"),
]
