#!/usr/bin/env python
import os
import sys


def main():
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "infusion_center.settings")
    from django.conf import settings
    from django.core.management import execute_from_command_line

    # Asked here, settings that are refused say why; Django would go on without them to a fault that names none.
    settings.INSTALLED_APPS  # noqa: B018
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
