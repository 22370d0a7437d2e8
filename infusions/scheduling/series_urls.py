"""Addresses of series; mounted by the feature's urls."""

from django.urls import path

from infusions.scheduling import series_move_views, series_views

urlpatterns = [
    path("orders/<str:order_id>/series/", series_views.series_plan, name="series-plan"),
    path("orders/<str:order_id>/series/book/", series_views.series_book, name="series-book"),
    path("appointments/<str:appointment_id>/series/move/", series_move_views.series_move, name="series-move"),
    path(
        "appointments/<str:appointment_id>/series/move/apply/",
        series_move_views.series_move_apply,
        name="series-move-apply",
    ),
    path("appointments/<str:appointment_id>/series/cancel/", series_move_views.series_cancel, name="series-cancel"),
]
