"""A stream sealed with AES-256-GCM in parts of one size, so that files of any size need little memory.

Each part's nonce holds its number and whether it is the last, and the file's beginning goes into every seal: parts that
were changed, swapped, left out or put in, or that come from another file, are noticed. The keys are this file's own,
made of BACKUP_KEY and random salt, so no nonce is ever used twice.
"""

from __future__ import annotations

import os
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.constant_time import bytes_eq
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from infusion_center.backup.errors import BackupError

MAGIC = b"ICBACK1\n"
SALT, CHECK, TAG = 16, 16, 16
HEAD = len(MAGIC) + SALT + CHECK
PART = 256 * 1024
SHORTEST_KEY = 40


def require_key(key: str) -> str:
    if not key:
        raise BackupError("Set BACKUP_KEY. Without it backups can be neither made nor read.")
    if len(key) < SHORTEST_KEY:
        raise BackupError(f"BACKUP_KEY is too short: {SHORTEST_KEY} random characters or more.")
    return key


def _keys(secret: str, salt: bytes) -> tuple[AESGCM, bytes]:
    """The key of one file, and a value by which a wrong key is told from a damaged file."""
    made = HKDF(SHA256(), 32 + CHECK, salt, b"infusion-center backup 1").derive(require_key(secret).encode())
    return AESGCM(made[:32]), made[32:]


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])


class SealedWriter:
    """Write, then close: a file that was not closed has no last part and is refused as cut off."""

    def __init__(self, file: BinaryIO, secret: str):
        salt = os.urandom(SALT)
        self._cipher, check = _keys(secret, salt)
        self._file, self._head = file, MAGIC + salt + check
        self._waiting, self._number = bytearray(), 0
        file.write(self._head)

    def write(self, data: bytes) -> int:
        self._waiting += data
        while len(self._waiting) > PART:
            self._seal(bytes(self._waiting[:PART]), last=False)
            del self._waiting[:PART]
        return len(data)

    def flush(self) -> None:
        """A part is sealed when it is full."""

    def close(self) -> None:
        self._seal(bytes(self._waiting), last=True)
        self._waiting.clear()

    def _seal(self, part: bytes, *, last: bool) -> None:
        self._file.write(self._cipher.encrypt(_nonce(self._number, last=last), part, self._head))
        self._number += 1


class SealedReader:
    """Gives nothing away that was not proven. After the last byte it is sure that the file is whole."""

    def __init__(self, file: BinaryIO, secret: str):
        self._head = file.read(HEAD)
        if len(self._head) < HEAD or not self._head.startswith(MAGIC):
            raise BackupError("This is no backup of this application, or its beginning is damaged.")
        salt = self._head[len(MAGIC) :][:SALT]
        self._cipher, check = _keys(secret, salt)
        if not bytes_eq(check, self._head[-CHECK:]):
            raise BackupError("BACKUP_KEY is not the key of this file, or the file's beginning is damaged.")
        self._file, self._number, self._open = file, 0, b""
        self._next = file.read(PART + TAG)

    def read(self, size: int = -1) -> bytes:
        while self._next is not None and (size < 0 or len(self._open) < size):
            self._open += self._unseal()
        given = self._open if size < 0 else self._open[:size]
        self._open = self._open[len(given) :]
        return given

    def _unseal(self) -> bytes:
        sealed, following = self._next, self._file.read(PART + TAG)
        try:
            part = self._cipher.decrypt(_nonce(self._number, last=not following), sealed, self._head)
        except InvalidTag:
            raise BackupError(f"The file is damaged or cut off at part {self._number + 1}.") from None
        self._number += 1
        self._next = following or None
        return part
