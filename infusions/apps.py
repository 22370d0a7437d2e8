from django.apps import AppConfig


class InfusionsConfig(AppConfig):
    name = "infusions"

    def ready(self):
        from infusions.reminders import checks  # noqa: F401  registers the system checks
