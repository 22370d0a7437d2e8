class BackupError(Exception):
    """Why a backup or restore cannot be done, in words for whoever runs it."""
