"""Mails to a member of staff: the link by which to set a password, and that the second factor was reset."""

import logging

from allauth.account.adapter import get_adapter

from infusion_center.accounts import services
from infusion_center.accounts.forms import ResetPasswordForm
from infusion_center.accounts.models import User

logger = logging.getLogger(__name__)


def send_invitation(request, person: User) -> bool:
    """Whether the mail left; the account exists either way, and the page offers to send it again."""
    form = ResetPasswordForm({"email": person.email})
    if not form.is_valid():
        return False
    try:
        form.save(request)
    except OSError as error:
        logger.warning("Invitation mail refused: %s", type(error).__name__)
        return False
    services.record_invitation(user=person, by=request.user)
    return True


def tell_factors_reset(request, person: User) -> bool:
    """Whether the mail left: somebody who did not ask for it must hear of it."""
    try:
        get_adapter(request).send_mail("account/email/factors_reset", person.email, {"by": request.user.full_name})
    except OSError as error:
        logger.warning("Notice of a reset refused: %s", type(error).__name__)
        return False
    return True
