from django.urls import path

from infusions.orders import ending_views, list_views, views

app_name = "orders"
urlpatterns = [
    path("patients/<str:patient_id>/orders/new/", views.order_create, name="order-create"),
    path("patients/<str:patient_id>/orders/preview/", views.order_preview, name="order-preview"),
    path("orders/", list_views.order_list, name="order-list"),
    path("orders/<str:order_id>/", views.order_detail, name="order-detail"),
    path("orders/<str:order_id>/edit/", views.order_edit, name="order-edit"),
    path("orders/<str:order_id>/sign/", views.order_sign, name="order-sign"),
    path("orders/<str:order_id>/hold/", ending_views.order_hold, name="order-hold"),
    path("orders/<str:order_id>/release/", views.order_release, name="order-release"),
    path("orders/<str:order_id>/stop/", ending_views.order_stop, name="order-stop"),
    path("orders/<str:order_id>/visits/", ending_views.order_visits, name="order-visits"),
]
