from django.urls import path

from infusions.facility import call_out_views, chair_views, closure_views, roster_views, site_views

app_name = "facility"
urlpatterns = [
    path("site/", site_views.site_edit, name="site-edit"),
    path("site/new/", site_views.site_create, name="site-create"),
    path("site/choose/", site_views.site_choose, name="site-choose"),
    path("site/hours/", site_views.hours_edit, name="hours-edit"),
    path("site/members/", site_views.member_list, name="member-list"),
    path("site/members/add/", site_views.member_add, name="member-add"),
    path("site/members/<str:user_id>/remove/", site_views.member_remove, name="member-remove"),
    path("chairs/", chair_views.chair_list, name="chair-list"),
    path("chairs/new/", chair_views.chair_create, name="chair-create"),
    path("chairs/<str:chair_id>/edit/", chair_views.chair_edit, name="chair-edit"),
    path("chairs/<str:chair_id>/move/", chair_views.chair_move, name="chair-move"),
    path("chairs/<str:chair_id>/take-out/", chair_views.chair_take_out, name="chair-take-out"),
    path("chairs/<str:chair_id>/retire/", chair_views.chair_retire, name="chair-retire"),
    path("chairs/<str:chair_id>/reinstate/", chair_views.chair_reinstate, name="chair-reinstate"),
    path("outages/<str:outage_id>/end/", chair_views.outage_end, name="outage-end"),
    path("closures/", closure_views.closure_list, name="closure-list"),
    path("closures/new/", closure_views.closure_create, name="closure-create"),
    path("closures/holidays/", closure_views.holidays_add, name="holidays-add"),
    path("closures/<str:closure_id>/remove/", closure_views.closure_remove, name="closure-remove"),
    path("roster/", roster_views.roster_page, name="roster-week"),
    path("roster/copy/", roster_views.week_copy, name="week-copy"),
    path("roster/shifts/new/", roster_views.shift_create, name="shift-create"),
    path("roster/shifts/<str:shift_id>/remove/", roster_views.shift_remove, name="shift-remove"),
    path("nurses/", roster_views.nurse_list, name="nurse-list"),
    path("nurses/new/", roster_views.nurse_create, name="nurse-create"),
    path("nurses/<str:nurse_id>/edit/", roster_views.nurse_edit, name="nurse-edit"),
    path("nurses/<str:nurse_id>/call-out/", call_out_views.nurse_call_out, name="nurse-call-out"),
]
