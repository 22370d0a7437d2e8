"""Mounts each feature's URLs; a feature adds its line here when its pages exist."""

from django.urls import include, path

urlpatterns = [
    path("", include("infusions.formulary.urls")),
]
