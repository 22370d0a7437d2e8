"""Addresses of uncovered visits and work lists; mounted by the feature's urls."""

from django.urls import path

from infusions.scheduling import cover_views, work_views

urlpatterns = [
    path("cover/", cover_views.cover_list, name="cover-list"),
    path("cover/plan/", cover_views.cover_plan, name="cover-plan"),
    path("cover/late/<str:appointment_id>/", cover_views.cover_late, name="cover-late"),
    path("work/", work_views.work_overview, name="work-overview"),
    path("work/counts/", work_views.work_counts, name="work-counts"),
    path("work/<slug:slug>/", work_views.work_list, name="work-list"),
]
