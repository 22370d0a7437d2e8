from django.urls import path

from infusions.doses import act_views, finish_views, step_views, views

app_name = "doses"
infusion = "appointments/<str:appointment_id>/infusion/"

urlpatterns = [
    path("tablet/", views.my_patients, name="my-patients"),
    path("lots/", views.lot_search, name="lot-search"),
    path(infusion, views.dose_detail, name="dose-detail"),
    path(f"{infusion}status/", views.dose_status, name="dose-status"),
    path(f"{infusion}others/", views.others, name="others"),
    path(f"{infusion}print/", views.dose_print, name="dose-print"),
    path(f"{infusion}prepare/", act_views.dose_prepare, name="dose-prepare"),
    path(f"{infusion}product/", act_views.product_choose, name="product-choose"),
    path(f"{infusion}vials/", act_views.vial_add, name="vial-add"),
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
    path(f"{infusion}end/", act_views.infusion_end, name="infusion-end"),
    path(f"{infusion}observation/end/", act_views.observation_end, name="observation-end"),
    path(f"{infusion}sign/", act_views.dose_sign, name="dose-sign"),
    path(f"{infusion}amend/", act_views.dose_amend, name="dose-amend"),
]
