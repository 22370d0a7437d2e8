"""Backups as files: written beside their name, read back before they get it, older ones let go only after that."""

from __future__ import annotations

import fcntl
import gzip
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from infusion_center.backup.contents import Manifest, Reading, write_contents
from infusion_center.backup.errors import BackupError
from infusion_center.backup.sealing import SealedReader, SealedWriter, require_key
from infusion_center.backup.snapshot import snapshot_of
from infusion_center.core import clock

PREFIX, SUFFIX, PARTIAL = "infusion-center-", ".backup", ".partial"
# Rows of text shrink to a tenth at any level; higher ones only take longer.
LEVEL = 3


def make_backup(connection, folder: Path, *, key: str, keep: int | None = None) -> tuple[Path, Manifest, list[Path]]:
    """The new file, what it says of itself, and the older ones that were let go."""
    require_key(key)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with alone_in(folder):
        path = folder / f"{PREFIX}{clock.now():%Y%m%dT%H%M%S.%fZ}{SUFFIX}"
        partial = path.with_suffix(PARTIAL)
        try:
            with create_privately(partial) as file, snapshot_of(connection) as snapshot:
                write_sealed(snapshot, file, key=key)
                os.fsync(file.fileno())
            manifest = verify_file(partial, key=key)
            partial.rename(path)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
        keep_on_disk(folder)
        return path, manifest, let_go(folder, keep) if keep else []


def write_sealed(snapshot, file, *, key: str) -> Manifest:
    sealed = SealedWriter(file, key)
    with gzip.GzipFile(filename="", mode="wb", compresslevel=LEVEL, fileobj=sealed, mtime=0) as out:
        manifest = write_contents(snapshot, out)
    sealed.close()
    file.flush()
    return manifest


@contextmanager
def opened(path: Path, *, key: str) -> Iterator[Reading]:
    """A pass through a backup; whatever is wrong with the file is told in a sentence."""
    try:
        with path.open("rb") as file, gzip.GzipFile(fileobj=SealedReader(file, key), mode="rb") as lines:
            yield Reading(lines)
    except (FileNotFoundError, IsADirectoryError, PermissionError) as problem:
        raise BackupError(f"{path} cannot be read: {problem.strerror}.") from None
    except (EOFError, gzip.BadGzipFile, zlib.error, ValueError, KeyError) as problem:
        raise BackupError(f"{path} does not hold what a backup holds ({type(problem).__name__}).") from problem


def verify_file(path: Path, *, key: str) -> Manifest:
    """Read all of it. Raises BackupError on any bit that is not as it was written."""
    with opened(path, key=key) as reading:
        for _ in reading.tables():
            pass
        return reading.manifest


def create_privately(path: Path):
    """Nobody else may read it, from its first byte on."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """One backup at a time, so that what lies half written was left by one that died."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        for left in folder.glob(f"{PREFIX}*{PARTIAL}"):
            left.unlink()
        yield
    except BlockingIOError:
        raise BackupError(f"Another backup is being written to {folder}.") from None
    finally:
        os.close(handle)


def keep_on_disk(folder: Path) -> None:
    """The new name, too, survives a power cut."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def let_go(folder: Path, keep: int) -> list[Path]:
    """The names carry the time, so their order is that of the backups. Other files are none of ours."""
    older = sorted(folder.glob(f"{PREFIX}*{SUFFIX}"))[:-keep]
    for path in older:
        with suppress(FileNotFoundError):
            path.unlink()
    return older
