from django.urls import path

from patients import chart_views, fact_views, site_views, views

app_name = "patients"
urlpatterns = [
    path("patients/", views.patient_list, name="patient-list"),
    path("patients/new/", views.patient_create, name="patient-create"),
    path("patients/treat-here/", site_views.patient_treat_here, name="patient-treat-here"),
    path("patients/<slug:patient_id>/", chart_views.patient_detail, name="patient-detail"),
    path("patients/<slug:patient_id>/edit/", views.patient_edit, name="patient-edit"),
    path("patients/<slug:patient_id>/facts/", fact_views.patient_facts, name="patient-facts"),
    path("patients/<slug:patient_id>/weights/new/", fact_views.weight_create, name="weight-create"),
    path("patients/<slug:patient_id>/allergies/new/", fact_views.allergy_create, name="allergy-create"),
    path("patients/<slug:patient_id>/risks/new/", fact_views.risk_create, name="risk-create"),
    path("patients/<slug:patient_id>/consents/new/", fact_views.consent_create, name="consent-create"),
    path(
        "patients/<slug:patient_id>/<slug:kind>/<slug:fact_id>/retract/", fact_views.fact_retract, name="fact-retract"
    ),
]
