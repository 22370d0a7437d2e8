"""Mounts each feature's URLs; a feature adds its line here when its pages exist."""

from django.urls import include, path

from infusions import emergency_views, frame_views, health_views, metrics_views

urlpatterns = [
    path("emergency/", frame_views.emergency, name="emergency"),
    path("emergency/card/", emergency_views.emergency_card, name="emergency-card"),
    path("emergency-worker.js", emergency_views.emergency_worker, name="emergency-worker"),
    path("health/", health_views.health, name="health"),
    path("health/live", health_views.health_live, name="health-live"),
    path("health/ready", health_views.health_ready, name="health-ready"),
    path("metrics", metrics_views.metrics_page, name="metrics"),
    path("settings/", frame_views.settings_overview, name="settings-overview"),
    path("", include("infusions.doses.urls")),
    path("", include("infusions.facility.urls")),
    path("", include("infusions.formulary.urls")),
    path("", include("infusions.orders.urls")),
    path("", include("infusions.stock.urls")),
    path("", include("infusions.scheduling.urls")),
    path("", include("infusions.reminders.urls")),
    path("", include("infusions.checklists.urls")),
    path("", include("infusions.reports.urls")),
]
