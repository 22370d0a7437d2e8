from django.urls import path

from infusions.formulary import views

app_name = "formulary"
urlpatterns = [
    path("formulary/", views.product_list, name="product-list"),
    path("formulary/<slug:key>/", views.product_detail, name="product-detail"),
]
