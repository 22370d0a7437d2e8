from django.urls import path

from infusions.formulary import views

app_name = "formulary"
urlpatterns = [
    path("formulary/", views.product_list, name="product-list"),
    path("formulary/schedules/<str:schedule_id>/amend/", views.schedule_amend, name="schedule-amend"),
    path("formulary/schedules/<str:schedule_id>/sign/", views.schedule_sign, name="schedule-sign"),
    path("formulary/<slug:key>/", views.product_detail, name="product-detail"),
    path("formulary/<slug:key>/amend/", views.product_amend, name="product-amend"),
    path("formulary/<slug:key>/schedules/add/", views.schedule_add, name="schedule-add"),
    path("formulary/<slug:key>/sign/", views.product_sign, name="product-sign"),
]
