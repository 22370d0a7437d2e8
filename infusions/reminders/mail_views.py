"""Reading the mail folder, where messages land when no mail server is set: for trying the application out."""

from django.http import Http404
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from infusion_center.accounts.access import requires
from infusion_center.accounts.roles import Permission
from infusion_center.audit import services as audit
from infusion_center.core import mail_folder
from infusions.facility.queries import current_site
from infusions.reminders.models import Reminder

SHOWN = 100


@requires(Permission.VIEW_REMINDERS)
@require_GET
def mail_list(request):
    if not mail_folder.is_folder_in_use():
        raise Http404
    stored = {mail.key: mail for mail in reversed(mail_folder.newest_mails())}
    # Only messages of the ledger: the folder also holds staff's mails, such as those that reset a password.
    rows = Reminder.objects.visible_to(request.user).with_visit().filter(public_id__in=stored)
    mails = sorted(((stored[row.public_id], row) for row in rows), key=lambda pair: pair[0].name, reverse=True)
    context = {"mails": mails[:SHOWN], "site": current_site(request)}
    return render(request, "infusions/reminders/mail_list.html", context)


@requires(Permission.VIEW_REMINDERS)
@require_GET
def mail_detail(request, name):
    mail = mail_folder.find_mail(name)
    if mail is None:
        raise Http404
    reminder = get_object_or_404(Reminder.objects.visible_to(request.user).with_visit(), public_id=mail.key)
    if reminder.patient is not None:
        audit.record_opening(reminder, by=request.user, patient=reminder.patient, what="mail")
    message = mail.read()
    context = {
        "mail": mail,
        "message": message,
        "text": message.get_body(("plain",)).get_content(),
        "attachments": [part.get_filename() for part in message.iter_attachments()],
        "reminder": reminder,
        "site": reminder.site,
    }
    return render(request, "infusions/reminders/mail_detail.html", context)
