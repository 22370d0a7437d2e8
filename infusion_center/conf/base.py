"""Where things lie, the environment, and the refusal to start insecurely when DEBUG is off."""

import binascii
from base64 import urlsafe_b64decode
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from environs import Env

BASE_DIR = Path(__file__).resolve().parent.parent.parent

env = Env()
if env.bool("READ_DOT_ENV", True):
    env.read_env(BASE_DIR / ".env", recurse=False)
# What is written while it runs: the SQLite database, mails in a folder, the beat schedule, backups.
VAR_DIR = Path(env.str("VAR_DIR", str(BASE_DIR / "var")))

DEBUG = env.bool("DEBUG", False)
DEVELOPMENT_KEY = "for-development-only-never-with-patients-0123456789abcdef"
# Worth nothing: it stands here for everybody to read.
DEVELOPMENT_FIELD_KEY = "Zm9yLWRldmVsb3BtZW50LW9ubHktbm8tcGF0aWVudHM="
SECRET_KEY = env.str("SECRET_KEY", DEVELOPMENT_KEY if DEBUG else "")
# What seals secrets in the database (core/sealing.py); the first seals, all open.
FIELD_KEYS = env.list("FIELD_KEYS", [DEVELOPMENT_FIELD_KEY] if DEBUG else [])
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", ["127.0.0.1", "localhost", "[::1]"] if DEBUG else [])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", [])
# The address that links in mails begin with.
SITE_URL = env.str("SITE_URL", "").rstrip("/") or f"http://127.0.0.1:{env.str('PORT', '8000')}"


def is_field_key(text: str) -> bool:
    try:
        return len(urlsafe_b64decode(text)) == 32
    except (ValueError, binascii.Error):
        return False


if not DEBUG:
    if not SECRET_KEY or SECRET_KEY == DEVELOPMENT_KEY or len(SECRET_KEY) < 50:
        raise ImproperlyConfigured("Set SECRET_KEY to 50 or more random characters (or DEBUG=true for development).")
    if not FIELD_KEYS or DEVELOPMENT_FIELD_KEY in FIELD_KEYS or not all(map(is_field_key, FIELD_KEYS)):
        raise ImproperlyConfigured("Set FIELD_KEYS to keys of 32 random bytes in URL-safe base64, separated by commas.")
    if not ALLOWED_HOSTS or "*" in ALLOWED_HOSTS:
        raise ImproperlyConfigured("Set ALLOWED_HOSTS to the host names this application answers to.")
