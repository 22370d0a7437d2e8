from django.urls import path

from infusions.reminders import (
    after_care_call_views,
    after_care_views,
    block_views,
    change_views,
    feed_views,
    mail_views,
    offer_views,
    public_views,
    report_views,
    views,
    wording_views,
)
from infusions.reminders.webhook_views import WEBHOOKS

app_name = "reminders"
of_visit = "appointments/<str:appointment_id>/after-care/"

urlpatterns = [
    path("reminders/", views.reminder_list, name="reminder-list"),
    path("reminders/mail/", mail_views.mail_list, name="mail-list"),
    path("reminders/mail/<str:name>/", mail_views.mail_detail, name="mail-detail"),
    path("reminders/blocked/", block_views.block_list, name="block-list"),
    path("reminders/blocked/<slug:block_id>/", block_views.block_lift, name="block-lift"),
    path("my/calendar/", feed_views.calendar_page, name="calendar"),
    path("my/calendar/make/", feed_views.calendar_make, name="calendar-make"),
    path("my/calendar/revoke/", feed_views.calendar_revoke, name="calendar-revoke"),
    path("calendar/<str:secret>.ics", feed_views.calendar_feed, name="calendar-feed"),
    path("site/mails/", wording_views.wording_list, name="wording-list"),
    path("site/mails/<slug:kind>/<slug:language>/", wording_views.wording_edit, name="wording-edit"),
    path("site/mails/<slug:kind>/<slug:language>/preview/", wording_views.wording_preview, name="wording-preview"),
    path("site/mails/<slug:kind>/<slug:language>/html/", wording_views.wording_html, name="wording-html"),
    path("site/mails/<slug:kind>/<slug:language>/reset/", wording_views.wording_reset, name="wording-reset"),
    path("reminders/<slug:reminder_id>/", views.reminder_detail, name="reminder-detail"),
    path("reminders/<slug:reminder_id>/resend/", views.reminder_resend, name="reminder-resend"),
    path("after-care/", after_care_call_views.after_care_list, name="after-care-list"),
    path("after-care/alert/", after_care_call_views.after_care_alert, name="after-care-alert"),
    path(of_visit, after_care_call_views.after_care_detail, name="after-care-detail"),
    path(f"{of_visit}calls/", after_care_call_views.after_care_call, name="after-care-call"),
    # In mails: short, and they name nothing.
    path("v/<str:token>/", public_views.visit, name="visit"),
    path("v/<str:token>/before/", report_views.before_visit, name="before-visit"),
    path("v/<str:token>/after/", after_care_views.after_visit, name="after-visit"),
    path("v/<str:token>/move/", change_views.move_visit, name="move-visit"),
    path("v/<str:token>/cancel/", change_views.cancel_visit, name="cancel-visit"),
    path("o/<str:token>/", offer_views.offer, name="offer"),
    path("m/<str:token>/", public_views.stop, name="stop"),
    # Called by mail providers.
    *(path(f"anymail/{name}/tracking/", view, name=f"{name}-webhook") for name, view in WEBHOOKS.items()),
]
