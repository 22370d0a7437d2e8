from django.urls import path

from infusions.reports import export_views, reaction_views, views

app_name = "reports"
urlpatterns = [
    path("patients/<slug:patient_id>/export/", export_views.patient_export, name="patient-export"),
    path("reports/", views.overview, name="overview"),
    path("reports/visits.csv", views.visits_csv, name="visits-csv"),
    path("reports/reactions/", reaction_views.reactions, name="reactions"),
    path("reports/reactions.csv", reaction_views.reactions_csv, name="reactions-csv"),
]
