from django.urls import path

from infusions.checklists import (
    hold_views,
    record_views,
    template_draft_views,
    template_item_views,
    template_views,
    views,
)

app_name = "checklists"

urlpatterns = [
    path("appointments/<str:appointment_id>/checklist/", views.checklist_detail, name="checklist-detail"),
    path("appointments/<str:appointment_id>/checklist/start/", views.checklist_start, name="checklist-start"),
    path("checklists/questions/", template_views.template_detail, name="template-detail"),
    path("checklists/questions/versions/", template_views.version_list, name="version-list"),
    path("checklists/questions/versions/<str:template_id>/", template_views.version_detail, name="version-detail"),
    path("checklists/questions/drafts/start/", template_draft_views.draft_start, name="draft-start"),
    path("checklists/questions/drafts/<str:template_id>/", template_draft_views.draft_detail, name="draft-detail"),
    path(
        "checklists/questions/drafts/<str:template_id>/publish/",
        template_draft_views.draft_publish,
        name="draft-publish",
    ),
    path(
        "checklists/questions/drafts/<str:template_id>/discard/",
        template_draft_views.draft_discard,
        name="draft-discard",
    ),
    path(
        "checklists/questions/drafts/<str:template_id>/sections/",
        template_draft_views.section_amend,
        name="section-amend",
    ),
    path(
        "checklists/questions/drafts/<str:template_id>/sections/move/",
        template_draft_views.section_move,
        name="section-move",
    ),
    path("checklists/questions/drafts/<str:template_id>/items/add/", template_item_views.item_add, name="item-add"),
    path(
        "checklists/questions/drafts/<str:template_id>/items/<str:code>/",
        template_item_views.item_amend,
        name="item-amend",
    ),
    path(
        "checklists/questions/drafts/<str:template_id>/items/<str:code>/remove/",
        template_item_views.item_remove,
        name="item-remove",
    ),
    path(
        "checklists/questions/drafts/<str:template_id>/items/<str:code>/move/",
        template_item_views.item_move,
        name="item-move",
    ),
    path("checklists/<str:run_id>/", record_views.run_detail, name="run-detail"),
    path("checklists/<str:run_id>/answers/", views.checklist_save, name="checklist-save"),
    path("checklists/<str:run_id>/answers/<str:code>/", views.checklist_answer, name="checklist-answer"),
    path("checklists/<str:run_id>/answers/<str:code>/confirm/", views.checklist_confirm, name="checklist-confirm"),
    path("checklists/<str:run_id>/steps/", hold_views.hold_step, name="hold-step"),
    path("checklists/<str:run_id>/changes/", views.checklist_changes, name="checklist-changes"),
    path("checklists/<str:run_id>/close/", views.checklist_close, name="checklist-close"),
    path("checklists/<str:run_id>/overrides/", record_views.checklist_override, name="checklist-override"),
]
