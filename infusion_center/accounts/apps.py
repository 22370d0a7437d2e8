from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps


class AccountsConfig(AppConfig):
    name = "infusion_center.accounts"
    label = "accounts"

    def ready(self):
        from infusion_center.accounts import checks  # noqa: F401  registers the system checks


class AdminConfig(admin_apps.AdminConfig):
    default = False  # "infusion_center.accounts" means the class above
    default_site = "infusion_center.accounts.admin_site.SuperuserSite"
