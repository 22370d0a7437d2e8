from django.urls import path

from infusions.reports import views

app_name = "reports"
urlpatterns = [
    path("reports/", views.overview, name="overview"),
    path("reports/visits.csv", views.visits_csv, name="visits-csv"),
]
