"""`python -m tests.upgrade`: lint.py, which see."""

import os
import sys

import django

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "infusion_center.settings_test")
    django.setup()
    from tests.upgrade.lint import main

    sys.exit(main())
