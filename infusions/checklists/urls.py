from django.urls import path

from infusions.checklists import hold_views, record_views, views

app_name = "checklists"

urlpatterns = [
    path("appointments/<str:appointment_id>/checklist/", views.checklist_detail, name="checklist-detail"),
    path("appointments/<str:appointment_id>/checklist/start/", views.checklist_start, name="checklist-start"),
    path("checklists/questions/", record_views.template_detail, name="template-detail"),
    path("checklists/<str:run_id>/", record_views.run_detail, name="run-detail"),
    path("checklists/<str:run_id>/answers/", views.checklist_save, name="checklist-save"),
    path("checklists/<str:run_id>/answers/<str:code>/", views.checklist_answer, name="checklist-answer"),
    path("checklists/<str:run_id>/answers/<str:code>/confirm/", views.checklist_confirm, name="checklist-confirm"),
    path("checklists/<str:run_id>/steps/", hold_views.hold_step, name="hold-step"),
    path("checklists/<str:run_id>/changes/", views.checklist_changes, name="checklist-changes"),
    path("checklists/<str:run_id>/close/", views.checklist_close, name="checklist-close"),
    path("checklists/<str:run_id>/overrides/", record_views.checklist_override, name="checklist-override"),
]
