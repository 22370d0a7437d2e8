from django.urls import path

from infusion_center.accounts import lock_views, tablet_views

urlpatterns = [
    path("accounts/pin/", tablet_views.pin_set, name="pin-set"),
    path("tablets/", tablet_views.tablet_list, name="tablet-list"),
    path("tablets/enroll/", tablet_views.tablet_enroll, name="tablet-enroll"),
    path("tablets/<str:tablet_id>/revoke/", tablet_views.tablet_revoke, name="tablet-revoke"),
    path("lock/", lock_views.tablet_lock, name="tablet-lock"),
    path("lock/now/", lock_views.tablet_lock_now, name="tablet-lock-now"),
    path("lock/unlock/", lock_views.tablet_unlock, name="tablet-unlock"),
    path("lock/other/", lock_views.tablet_other, name="tablet-other"),
    path("lock/here/", lock_views.tablet_here, name="tablet-here"),
    path("lock/kept/", lock_views.kept_entry, name="tablet-kept"),
    path("lock/kept/drop/", lock_views.kept_drop, name="tablet-kept-drop"),
]
