"""Mounts each feature's URLs; a feature adds its line here when its pages exist."""

from django.urls import include, path  # noqa: F401

urlpatterns: list = []
