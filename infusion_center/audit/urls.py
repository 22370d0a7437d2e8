from django.urls import path

from infusion_center.audit import views

app_name = "audit"
urlpatterns = [
    path("audit/", views.trail_index, name="trail"),
    path("audit/trail.<slug:form_of_file>", views.trail_export, name="trail-export"),
    path("patients/<str:patient_id>/trail/", views.patient_trail, name="patient-trail"),
]
