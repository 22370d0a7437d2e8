"""The settings of production, behind a proxy that speaks https; nothing counts tries, as all come from one address."""

import os
from pathlib import Path

os.environ.setdefault("SECRET_KEY", "attack-only-" + "0123456789abcdef" * 4)
os.environ.setdefault("FIELD_KEYS", "YXR0YWNrLW9ubHktMDEyMzQ1Njc4OTAxMjM0NTY3ODk=")
os.environ.setdefault("AUDIT_KEYS", "audit-attack-only-" + "0123456789abcdef" * 4)
os.environ.setdefault("AUDIT_HEAD_FILE", "")
os.environ.setdefault("MFA_REQUIRED_ROLES", "")  # sessions are made without a page; the rule has its own tests
os.environ.setdefault("DESK_IDLE_MINUTES", "0")
os.environ.setdefault("ALLOWED_HOSTS", "127.0.0.1,testserver")
os.environ.setdefault("BEHIND_PROXY", "true")
os.environ["DEBUG"] = "false"
os.environ["READ_DOT_ENV"] = "false"

from infusion_center.settings import *  # noqa: F403

FOLDER = Path(os.environ.get("ATTACK_FOLDER", VAR_DIR / "attack"))  # noqa: F405
MAIL_DIR = FOLDER / "mail"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
ACCOUNT_RATE_LIMITS = False
LIMITS_PATIENT_LINKS = False
# As the source has them: what is attacked are the pages.
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}  # noqa: F405
# Looked for when asked: in-process clients would list all of them each time.
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = True
# Each request would be a line: the run counts them itself.
LOGGING["root"]["level"] = "CRITICAL"  # noqa: F405
LOGGING["loggers"] = {"django": {"level": "CRITICAL"}}  # noqa: F405
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):  # noqa: F405
    # A copy that is thrown away: nothing waits for the disk.
    OPTIONS = DATABASES["default"]["OPTIONS"]  # noqa: F405
    OPTIONS["init_command"] = OPTIONS["init_command"].replace("synchronous=FULL", "synchronous=OFF")
