"""Settings of a mail provider that tells by webhook what became of a mail; read from the environment by settings.py."""

from django.core.exceptions import ImproperlyConfigured
from environs import Env

# What each has to be told: ANYMAIL_POSTMARK_SERVER_TOKEN and so on.
PROVIDERS = {
    "mailgun": ["MAILGUN_API_KEY", "MAILGUN_WEBHOOK_SIGNING_KEY", "MAILGUN_SENDER_DOMAIN", "MAILGUN_API_URL"],
    "mandrill": ["MANDRILL_API_KEY", "MANDRILL_WEBHOOK_KEY", "MANDRILL_WEBHOOK_URL", "MANDRILL_API_URL"],
    "postmark": ["POSTMARK_SERVER_TOKEN", "POSTMARK_API_URL"],
    "sparkpost": ["SPARKPOST_API_KEY", "SPARKPOST_SUBACCOUNT", "SPARKPOST_API_URL"],
}
# A link that leads through a provider's counter tells it who pressed what.
NO_TRACKING = {"track_opens": False, "track_clicks": False}
SHORTEST_SECRET = 24


def provider_backend(env: Env) -> str:
    """The email backend of MAIL_PROVIDER; empty where none is set."""
    provider = env.str("MAIL_PROVIDER", "")
    if provider and (provider not in PROVIDERS or env.str("EMAIL_URL", "")):
        raise ImproperlyConfigured(f"Set EMAIL_URL, or MAIL_PROVIDER to one of {', '.join(PROVIDERS)}.")
    return f"anymail.backends.{provider}.EmailBackend" if provider else ""


def anymail_settings(env: Env, *, timeout: int) -> dict:
    # Several while one is replaced by the next: the provider calls https://user:password@host/anymail/...
    secrets = env.list("ANYMAIL_WEBHOOK_SECRET", [])
    if any(":" not in secret or len(secret) < SHORTEST_SECRET for secret in secrets):
        raise ImproperlyConfigured("Set ANYMAIL_WEBHOOK_SECRET to user:password, 24 random characters or more.")
    names = [name for named in PROVIDERS.values() for name in named]
    return {
        "WEBHOOK_SECRET": secrets,
        "REQUESTS_TIMEOUT": timeout,
        "SEND_DEFAULTS": NO_TRACKING,
        # Else Postmark puts a Message-ID of its own in the place of ours.
        "POSTMARK_SEND_DEFAULTS": {"extra_headers": {"X-PM-KeepID": "true"}},
        **{name: value for name in names if (value := env.str(f"ANYMAIL_{name}", ""))},
    }
