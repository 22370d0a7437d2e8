"""Addresses of uncovered visits and work lists; mounted by the feature's urls."""

from django.urls import path

from infusions.scheduling import cover_views, work_views

urlpatterns = [
    path("cover/", cover_views.cover_list, name="cover-list"),
    path("cover/plan/", cover_views.cover_plan, name="cover-plan"),
    path("cover/late/<str:appointment_id>/", cover_views.cover_late, name="cover-late"),
    path("to-do/", work_views.work_overview, name="work-overview"),
    path("to-do/counts/", work_views.work_counts, name="work-counts"),
    path("to-do/<slug:slug>/", work_views.work_list, name="work-list"),
]
