"""Backups: where they go, and the key that seals them. It is in no file that a backup holds."""

from pathlib import Path

from infusion_center.conf.base import VAR_DIR, env

BACKUP_KEY = env.str("BACKUP_KEY", "")
BACKUP_DIR = Path(env.str("BACKUP_DIR", str(VAR_DIR / "backups")))
