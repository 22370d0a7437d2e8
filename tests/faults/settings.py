"""The settings of production; only mail goes through a backend that can die on the way."""

import os

os.environ.setdefault("SECRET_KEY", "faults-only-" + "0123456789abcdef" * 4)
os.environ.setdefault("FIELD_KEYS", "ZmF1bHQtb25seS0wMTIzNDU2Nzg5LTAxMjM0NTY3ODk=")
os.environ.setdefault("AUDIT_KEYS", "audit-faults-only-" + "0123456789abcdef" * 4)
os.environ.setdefault("AUDIT_HEAD_FILE", "")
os.environ.setdefault("ALLOWED_HOSTS", "127.0.0.1")
os.environ["DEBUG"] = "false"
os.environ["READ_DOT_ENV"] = "false"

from infusion_center.settings import *  # noqa: F403

EMAIL_BACKEND = "tests.faults.backend.Backend"
# Hanging costs this much of the run's time, not ten seconds.
EMAIL_TIMEOUT = 1.5
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
LOGGING["root"]["level"] = "WARNING"  # noqa: F405
