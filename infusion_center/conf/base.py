"""Where things lie, the environment, and the refusal to start insecurely when DEBUG is off."""

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
SECRET_KEY = env.str("SECRET_KEY", DEVELOPMENT_KEY if DEBUG else "")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", ["127.0.0.1", "localhost", "[::1]"] if DEBUG else [])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", [])
# The address that links in mails begin with.
SITE_URL = env.str("SITE_URL", "").rstrip("/") or f"http://127.0.0.1:{env.str('PORT', '8000')}"

if not DEBUG:
    if not SECRET_KEY or SECRET_KEY == DEVELOPMENT_KEY or len(SECRET_KEY) < 50:
        raise ImproperlyConfigured("Set SECRET_KEY to 50 or more random characters (or DEBUG=true for development).")
    if not ALLOWED_HOSTS or "*" in ALLOWED_HOSTS:
        raise ImproperlyConfigured("Set ALLOWED_HOSTS to the host names this application answers to.")
