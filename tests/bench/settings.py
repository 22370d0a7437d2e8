"""The settings of production, with the page beside which everything is measured."""

import os

os.environ.setdefault("SECRET_KEY", "bench-only-" + "0123456789abcdef" * 4)
os.environ.setdefault("FIELD_KEYS", "YmVuY2gtb25seS0wMTIzNDU2Nzg5LTAxMjM0NTY3ODk=")
os.environ.setdefault("AUDIT_KEYS", "audit-bench-only-" + "0123456789abcdef" * 4)
os.environ.setdefault("AUDIT_HEAD_FILE", "")
os.environ.setdefault("ALLOWED_HOSTS", "127.0.0.1,testserver")
os.environ.setdefault("HTTPS", "false")
os.environ["DEBUG"] = "false"
os.environ["READ_DOT_ENV"] = "false"

from infusion_center.settings import *  # noqa: F403

ROOT_URLCONF = "tests.bench.urls"
TEMPLATES[0]["DIRS"] = [*TEMPLATES[0]["DIRS"], BASE_DIR / "tests" / "bench" / "templates"]  # noqa: F405
STATIC_ROOT = VAR_DIR / "bench-static"  # noqa: F405
LOGGING["root"]["level"] = "WARNING"  # noqa: F405
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # demo logins are made in no time
MFA_REQUIRED_ROLES = []  # its people sign in without a page
