"""The link by which the very first person sets a password: there may be no mail yet, and nobody to send it again."""

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.urls import reverse

from infusion_center.accounts.models import User


def password_link(person: User) -> str:
    """The same that an invitation holds."""
    names = {"uidb36": user_pk_to_url_str(person), "key": default_token_generator.make_token(person)}
    return f"{settings.SITE_URL}{reverse('account_reset_password_from_key', kwargs=names)}"
