"""What mail providers post to our webhooks, as their documentation shows it."""

import base64
import hashlib
import hmac
import json

SECRET = "reports:0123456789abcdef0123"
SIGNING_KEY = "signing-key-of-the-tests"
MAILGUN_KINDS = {
    "delivered": {"event": "delivered", "delivery-status": {"code": 250, "message": "OK"}},
    "deferred": {
        "event": "failed",
        "severity": "temporary",
        "reason": "generic",
        "delivery-status": {"code": 452, "message": "4.2.2 over quota", "description": ""},
    },
    "bounced": {
        "event": "failed",
        "severity": "permanent",
        "reason": "bounce",
        "delivery-status": {"code": 550, "message": "5.1.1 No such account", "description": ""},
    },
    "complained": {"event": "complained"},
}


def authorization(secret: str = SECRET) -> dict:
    return {"HTTP_AUTHORIZATION": f"Basic {base64.b64encode(secret.encode()).decode()}"}


def post(client, provider: str, payload: dict, secret: str = SECRET):
    url = f"/anymail/{provider}/tracking/"
    return client.post(url, json.dumps(payload), content_type="application/json", **authorization(secret))


def postmark_bounce(reminder, kind="HardBounce", *, to="", at="2026-06-01T16:05:00Z", known_by="metadata") -> dict:
    """`known_by`: metadata, id (the provider's), or nothing."""
    return {
        "RecordType": "SpamComplaint" if kind == "SpamComplaint" else "Bounce",
        "ID": 4323372036854775807,
        "Type": kind,
        "TypeCode": 1,
        "MessageID": reminder.provider_id if reminder and known_by == "id" else "883953f4-6105-42a2-a16a-77a8eac79483",
        "Metadata": {"reminder": reminder.public_id} if reminder and known_by == "metadata" else {},
        "Description": "The server was unable to deliver your message",
        "Details": "smtp;550 5.1.1 The email account does not exist.",
        "Email": to or reminder.patient.email.upper(),
        "From": "visits@example.org",
        "BouncedAt": at,
        "Inactive": True,
        "CanActivate": True,
        "Subject": "Your appointment",
    }


def postmark_delivery(reminder, at="2026-06-01T16:01:00Z") -> dict:
    return {
        "RecordType": "Delivery",
        "MessageID": "883953f4-6105-42a2-a16a-77a8eac79483",
        "Metadata": {"reminder": reminder.public_id},
        "Recipient": reminder.patient.email,
        "DeliveredAt": at,
        "Details": "smtp;250 OK",
    }


def mailgun(reminder, kind: str, *, at=1780329900.0, key=SIGNING_KEY) -> dict:
    """Known by our own Message-ID, which Mailgun keeps."""
    signed = {"timestamp": "1780329901", "token": f"token-{kind}-{at}"}
    signature = hmac.new(key.encode(), "".join(signed.values()).encode(), hashlib.sha256).hexdigest()
    message = {"headers": {"message-id": reminder.message_id.strip("<>"), "to": reminder.patient.email}}
    about = {"timestamp": at, "id": "G9Bn5sl1TC6nu79C8C0bwg", "recipient": reminder.patient.email}
    return {
        "signature": {**signed, "signature": signature},
        "event-data": {**about, **MAILGUN_KINDS[kind], "message": message, "user-variables": {}},
    }
