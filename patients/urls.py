from django.urls import path

from patients import views

app_name = "patients"
urlpatterns = [
    path("patients/<str:patient_id>/", views.patient_detail, name="patient-detail"),
]
