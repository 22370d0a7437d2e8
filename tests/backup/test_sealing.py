"""What is sealed comes back byte by byte, and nothing that was touched comes back at all."""

import io

import pytest

from infusion_center.backup import sealing
from infusion_center.backup.errors import BackupError
from infusion_center.backup.sealing import HEAD, TAG, SealedReader, SealedWriter

KEY = "a key for tests, forty characters or more of it"
PART = 32


@pytest.fixture(autouse=True)
def small_parts(monkeypatch):
    monkeypatch.setattr(sealing, "PART", PART)


def sealed(data: bytes, key: str = KEY) -> bytes:
    file = io.BytesIO()
    writer = SealedWriter(file, key)
    for start in range(0, len(data), 7):
        writer.write(data[start : start + 7])
    writer.close()
    return file.getvalue()


def opened(file: bytes, key: str = KEY) -> bytes:
    return SealedReader(io.BytesIO(file), key).read()


def is_refused(file: bytes, key: str = KEY) -> bool:
    try:
        opened(file, key)
    except BackupError:
        return True
    return False


@pytest.mark.parametrize("size", [0, 1, PART - 1, PART, PART + 1, 5 * PART])
def test_what_was_sealed_comes_back(size):
    data = bytes(range(256))[:size] * 1
    assert opened(sealed(data)) == data


def test_every_flipped_bit_is_noticed():
    file = sealed(b"patients" * 10)
    missed = [
        (place, bit)
        for place in range(len(file))
        for bit in range(8)
        if not is_refused(file[:place] + bytes([file[place] ^ 1 << bit]) + file[place + 1 :])
    ]
    assert missed == []


def test_every_cut_and_every_addition_is_noticed():
    file = sealed(b"patients" * 10)
    assert [size for size in range(len(file)) if not is_refused(file[:size])] == []
    assert is_refused(file + b"\0")


def test_parts_cannot_be_swapped_repeated_or_taken_from_another_file():
    data = b"patients" * 12  # three parts
    file, other = sealed(data), sealed(data)
    parts = [file[start : start + PART + TAG] for start in range(HEAD, len(file), PART + TAG)]
    head, (one, two, three) = file[:HEAD], parts
    spoiled = [
        head + two + one + three,
        head + one + one + two + three,
        head + one + three,
        other[:HEAD] + one + two + three,
    ]
    assert [is_refused(each) for each in spoiled] == [True] * 4


def test_the_same_data_never_look_the_same():
    assert sealed(b"patients") != sealed(b"patients")
    assert b"patients" not in sealed(b"patients" * 100)


def test_a_wrong_key_is_told_from_a_damaged_file():
    with pytest.raises(BackupError, match="BACKUP_KEY is not the key of this file"):
        opened(sealed(b"patients"), KEY + "!")


@pytest.mark.parametrize(("key", "said"), [("", "Set BACKUP_KEY"), ("short", "too short")])
def test_nothing_is_sealed_without_a_real_key(key, said):
    with pytest.raises(BackupError, match=said):
        sealed(b"patients", key)
