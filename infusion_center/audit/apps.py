from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "infusion_center.audit"
    label = "audit"
