"""Tells managers of what a colleague of another site did to the sign-in or roles of somebody who works for both."""

from django.conf import settings
from django.urls import reverse

from infusion_center.accounts.models import User
from infusion_center.accounts.queries import managers
from infusion_center.core.prompt_mail import notice, send_promptly

SUBJECT = "A staff account of your site was changed by another site"


def tell_other_managers(*, person: User, actor: User | None, done: str) -> None:
    """To the managers of those sites of the person that the actor does not belong to: there it holds too."""
    if actor is None or actor.pk == person.pk:
        return
    elsewhere = person.site_memberships.exclude(site__in=actor.site_memberships.values("site")).values("site")
    to_tell = managers().filter(site_memberships__site__in=elsewhere).exclude(pk__in=[person.pk, actor.pk])
    url = f"{settings.SITE_URL}{reverse('staff:staff-detail', args=[person.public_id])}"
    words = {"person": person, "actor": actor, "done": done, "url": url}
    send_promptly(
        [
            notice(to=manager.email, subject=SUBJECT, template="accounts/manager_mail.txt", words=words)
            for manager in to_tell.distinct().order_by("pk")
        ]
    )
