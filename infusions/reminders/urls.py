from django.urls import path

from infusions.reminders import block_views, mail_views, offer_views, public_views, report_views, views
from infusions.reminders.webhook_views import WEBHOOKS

app_name = "reminders"

urlpatterns = [
    path("reminders/", views.reminder_list, name="reminder-list"),
    path("reminders/mail/", mail_views.mail_list, name="mail-list"),
    path("reminders/mail/<str:name>/", mail_views.mail_detail, name="mail-detail"),
    path("reminders/blocked/", block_views.block_list, name="block-list"),
    path("reminders/blocked/<slug:block_id>/", block_views.block_lift, name="block-lift"),
    path("reminders/<slug:reminder_id>/", views.reminder_detail, name="reminder-detail"),
    path("reminders/<slug:reminder_id>/resend/", views.reminder_resend, name="reminder-resend"),
    # In mails: short, and they name nothing.
    path("v/<str:token>/", public_views.visit, name="visit"),
    path("v/<str:token>/before/", report_views.before_visit, name="before-visit"),
    path("o/<str:token>/", offer_views.offer, name="offer"),
    path("m/<str:token>/", public_views.stop, name="stop"),
    # Called by mail providers.
    *(path(f"anymail/{name}/tracking/", view, name=f"{name}-webhook") for name, view in WEBHOOKS.items()),
]
