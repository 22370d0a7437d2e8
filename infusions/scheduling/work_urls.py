"""Addresses of uncovered visits and work lists; mounted by the feature's urls."""

from django.urls import path

from infusions.scheduling import cover_views

urlpatterns = [
    path("cover/", cover_views.cover_list, name="cover-list"),
]
