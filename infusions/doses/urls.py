from django.urls import path

from infusions.doses import (
    act_views,
    finish_views,
    lot_views,
    reaction_views,
    recall_views,
    scan_views,
    step_views,
    views,
)

app_name = "doses"
infusion = "appointments/<str:appointment_id>/infusion/"
recall = "recalls/<str:recall_id>/"

urlpatterns = [
    path("tablet/", views.my_patients, name="my-patients"),
    path("scan/", scan_views.scan, name="scan"),
    path("lots/", lot_views.lot_search, name="lot-search"),
    path("lots/doses.csv", lot_views.lot_csv, name="lot-csv"),
    path("recalls/open/", recall_views.recall_open, name="recall-open"),
    path(recall, recall_views.recall_detail, name="recall-detail"),
    path(f"{recall}doses.csv", recall_views.recall_csv, name="recall-csv"),
    path(f"{recall}extend/", recall_views.recall_extend, name="recall-extend"),
    path(f"{recall}close/", recall_views.recall_close, name="recall-close"),
    path(f"{recall}patients/<str:patient_id>/contacts/", recall_views.contact_note, name="contact-note"),
    path(infusion, views.dose_detail, name="dose-detail"),
    path(f"{infusion}status/", views.dose_status, name="dose-status"),
    path(f"{infusion}others/", views.others, name="others"),
    path(f"{infusion}print/", views.dose_print, name="dose-print"),
    path(f"{infusion}prepare/", act_views.dose_prepare, name="dose-prepare"),
    path(f"{infusion}product/", act_views.product_choose, name="product-choose"),
    path(f"{infusion}vials/", act_views.vial_add, name="vial-add"),
    path(f"{infusion}vials/scan/", scan_views.vial_scan, name="vial-scan"),
    path(f"{infusion}vials/<str:vial_id>/remove/", act_views.vial_remove, name="vial-remove"),
    path(f"{infusion}second-check/", act_views.second_check, name="second-check"),
    path(f"{infusion}second-check/own/", step_views.second_check_own, name="second-check-own"),
    path(f"{infusion}start/", act_views.infusion_start, name="infusion-start"),
    path(f"{infusion}rate/", act_views.rate_change, name="rate-change"),
    path(f"{infusion}step/", step_views.step_up, name="step-up"),
    path(f"{infusion}stay/", step_views.rate_stay, name="rate-stay"),
    path(f"{infusion}pause/", act_views.infusion_pause, name="infusion-pause"),
    path(f"{infusion}resume/", act_views.infusion_resume, name="infusion-resume"),
    path(f"{infusion}vital-signs/", act_views.vital_signs_add, name="vital-signs-add"),
    path(f"{infusion}medication/", finish_views.medication_add, name="medication-add"),
    path(f"{infusion}advice/", finish_views.advice_give, name="advice-give"),
    path(f"{infusion}advice/print/", finish_views.advice_print, name="advice-print"),
    path(f"{infusion}reactions/", act_views.reaction_add, name="reaction-add"),
    path(f"{infusion}reactions/<str:reaction_id>/slow/", reaction_views.reaction_slow, name="reaction-slow"),
    path(f"{infusion}reactions/<str:reaction_id>/steps/", reaction_views.reaction_step_add, name="reaction-step-add"),
    path(f"{infusion}reactions/<str:reaction_id>/medwatch/", reaction_views.medwatch_summary, name="medwatch"),
    path(
        "patients/<slug:patient_id>/late-reactions/new/",
        reaction_views.late_reaction_create,
        name="late-reaction-create",
    ),
    path(f"{infusion}end/", act_views.infusion_end, name="infusion-end"),
    path(f"{infusion}observation/end/", act_views.observation_end, name="observation-end"),
    path(f"{infusion}sign/", act_views.dose_sign, name="dose-sign"),
    path(f"{infusion}amend/", act_views.dose_amend, name="dose-amend"),
]
