from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "infusion_center.core"
    label = "core"

    def ready(self):
        from infusion_center.core import checks  # noqa: F401  registers the system checks
