"""Addresses of the waitlist; mounted by the feature's urls."""

from django.urls import path

from infusions.scheduling import waitlist_views as views

urlpatterns = [
    path("waitlist/", views.waitlist, name="waitlist"),
    path("waitlist/<str:entry_id>/", views.waitlist_entry, name="waitlist-entry"),
    path("waitlist/<str:entry_id>/close/", views.waitlist_close, name="waitlist-close"),
    path("waitlist/<str:entry_id>/book/", views.waitlist_book, name="waitlist-book"),
    path("orders/<str:order_id>/waitlist/", views.waitlist_add, name="waitlist-add"),
    path("appointments/<str:appointment_id>/freed/", views.slot_freed, name="slot-freed"),
    path("appointments/<str:appointment_id>/freed/offer/", views.slot_offer, name="slot-offer"),
]
