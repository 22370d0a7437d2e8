from django.urls import path

from infusions.scheduling import (
    board_urls,
    preference_views,
    reseat_views,
    series_urls,
    views,
    visit_views,
    waitlist_urls,
    why_views,
    work_urls,
)

app_name = "scheduling"
urlpatterns = [
    *series_urls.urlpatterns,
    *work_urls.urlpatterns,
    *board_urls.urlpatterns,
    *waitlist_urls.urlpatterns,
    path("orders/<str:order_id>/slots/", views.slot_list, name="slot-list"),
    path("orders/<str:order_id>/slots/why/", why_views.slot_why, name="slot-why"),
    path("patients/<str:patient_id>/booking-preference/", preference_views.preference_edit, name="preference-edit"),
    path("orders/<str:order_id>/book/", views.appointment_book, name="appointment-book"),
    path("patients/<str:patient_id>/appointments/", visit_views.appointment_list, name="appointment-list"),
    path("orders/<str:order_id>/reseat/", reseat_views.reseat_book, name="reseat-book"),
    path("appointments/<str:appointment_id>/reseat/", reseat_views.reseat_move, name="reseat-move"),
    path("appointments/<str:appointment_id>/pin/", reseat_views.appointment_pin, name="appointment-pin"),
    path("appointments/<str:appointment_id>/", visit_views.appointment_detail, name="appointment-detail"),
    path("appointments/<str:appointment_id>/move/", views.appointment_move, name="appointment-move"),
    path("appointments/<str:appointment_id>/cancel/", views.appointment_cancel, name="appointment-cancel"),
    path("appointments/<str:appointment_id>/confirm/", visit_views.appointment_confirm, name="appointment-confirm"),
    path("appointments/<str:appointment_id>/told/", visit_views.appointment_told, name="appointment-told"),
    path("appointments/<str:appointment_id>/check-in/", visit_views.appointment_check_in, name="appointment-check-in"),
    path(
        "appointments/<str:appointment_id>/undo-check-in/",
        visit_views.appointment_undo_check_in,
        name="appointment-undo-check-in",
    ),
    path("appointments/<str:appointment_id>/no-show/", visit_views.appointment_no_show, name="appointment-no-show"),
]
