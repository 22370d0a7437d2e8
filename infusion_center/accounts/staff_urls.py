from django.urls import path

from infusion_center.accounts import staff_sign_in_views as sign_in_views
from infusion_center.accounts import staff_views as views

app_name = "staff"
urlpatterns = [
    path("", views.staff_index, name="staff-list"),
    path("new/", views.staff_create, name="staff-create"),
    path("<str:person_id>/", views.staff_detail, name="staff-detail"),
    path("<str:person_id>/deactivate/", views.staff_deactivate, name="staff-deactivate"),
    path("<str:person_id>/reactivate/", views.staff_reactivate, name="staff-reactivate"),
    path("<str:person_id>/invite/", views.staff_invite, name="staff-invite"),
    path("<str:person_id>/unlock/", sign_in_views.staff_unlock, name="staff-unlock"),
    path("<str:person_id>/end-sessions/", sign_in_views.staff_end_sessions, name="staff-end-sessions"),
    path("<str:person_id>/reset-factors/", sign_in_views.staff_reset_factors, name="staff-reset-factors"),
]
