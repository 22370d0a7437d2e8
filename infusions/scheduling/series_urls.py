"""Addresses of series; mounted by the feature's urls."""

from django.urls import path

from infusions.scheduling import series_views

urlpatterns = [
    path("orders/<str:order_id>/series/", series_views.series_plan, name="series-plan"),
    path("orders/<str:order_id>/series/book/", series_views.series_book, name="series-book"),
]
