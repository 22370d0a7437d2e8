from django.urls import path

from infusion_center.urls import urlpatterns as ours
from tests.bench import floor

urlpatterns = [
    *ours,
    path("bench/page/<str:patient_id>/", floor.page, name="bench-page"),
    path("bench/bare/<str:patient_id>/", floor.bare, name="bench-bare"),
]
