"""System checks: the roles that need a second factor are named rightly, and in use they are named at all."""

from django.conf import settings
from django.core.checks import Error, Tags, register

from infusion_center.accounts.roles import Role
from infusion_center.accounts.second_factor import EVERYBODY

# Who manages staff, and who signs orders and the formulary.
ALWAYS = {Role.MANAGER.value, Role.PHARMACIST.value}


@register(Tags.security)
def factor_roles_are_known(app_configs, **kwargs):
    """A role misspelt is a role without a second factor."""
    unknown = sorted(set(settings.MFA_REQUIRED_ROLES) - {EVERYBODY, *Role.values})
    hint = f"Choose from {', '.join([EVERYBODY, *Role.values])}."
    return [Error(f"MFA_REQUIRED_ROLES names no role: {name!r}", hint=hint, id="accounts.E001") for name in unknown]


@register(Tags.security, deploy=True)
def those_who_can_do_most_need_a_factor(app_configs, **kwargs):
    named = set(settings.MFA_REQUIRED_ROLES)
    left_out = [] if settings.DEBUG or EVERYBODY in named else sorted(ALWAYS - named)
    message = f"MFA_REQUIRED_ROLES leaves out {' and '.join(left_out)}: a password alone opens all that they may do"
    return [Error(message, hint="MFA_REQUIRED_ROLES=manager,pharmacist", id="accounts.E002")] if left_out else []
