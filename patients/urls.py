from django.urls import path

from patients import (
    chart_views,
    emergency_review_views,
    emergency_views,
    fact_views,
    import_views,
    site_views,
    views,
)

app_name = "patients"
accesses = "emergency-accesses/"
urlpatterns = [
    path("emergency-access/", emergency_views.emergency_find, name="emergency-find"),
    path("emergency-access/open/", emergency_views.emergency_open, name="emergency-open"),
    path("emergency-access/<slug:access_id>/extend/", emergency_views.emergency_extend, name="emergency-extend"),
    path("emergency-access/<slug:access_id>/close/", emergency_views.emergency_close, name="emergency-close"),
    path(accesses, emergency_review_views.emergency_list, name="emergency-list"),
    path(f"{accesses}count/", emergency_review_views.emergency_count, name="emergency-count"),
    path(f"{accesses}<slug:access_id>/", emergency_review_views.emergency_detail, name="emergency-detail"),
    path("patients/", views.patient_list, name="patient-list"),
    path("patients/new/", views.patient_create, name="patient-create"),
    path("patients/treat-here/", site_views.patient_treat_here, name="patient-treat-here"),
    path("patients/import/", import_views.import_upload, name="import-upload"),
    path("patients/import/template.csv", import_views.import_template, name="import-template"),
    path("patients/import/<slug:import_id>/", import_views.import_preview, name="import-preview"),
    path("patients/import/<slug:import_id>/go-on/", import_views.import_go_on, name="import-go-on"),
    path("patients/import/<slug:import_id>/result/", import_views.import_result, name="import-result"),
    path("patients/import/<slug:import_id>/refused.csv", import_views.import_refused_csv, name="import-refused"),
    path("patients/import/<slug:import_id>/discard/", import_views.import_discard, name="import-discard"),
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
