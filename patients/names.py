"""How names are compared: folded to plain letters, by sound, and within one slip on the keyboard. Holds no rows."""

import re
import unicodedata
from collections.abc import Collection, Iterable

import jellyfish

ALPHABET = "abcdefghijklmnopqrstuvwxyz"
# Letters that Unicode does not take apart into a plain letter and an accent.
PLAIN = str.maketrans({"æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i"})
APOSTROPHES = str.maketrans(dict.fromkeys("’‘`´ʼʹ", "'"))
BETWEEN_WORDS = re.compile(r"[^\w']+|_+")
LONGEST_WORD = 80
ALIKE = 0.88
# A word of this length has some 700 neighbours: still one cheap lookup, below the parameter limit of SQLite.
LONGEST_SLIP = 13


def fold(text: str) -> str:
    """Lower case without accents: José -> jose, Łukasz -> lukasz."""
    if text.isascii():
        return text.lower().replace("`", "'")
    decomposed = unicodedata.normalize("NFKD", text.translate(APOSTROPHES).casefold().translate(PLAIN))
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def typed_words(text: str) -> list[str]:
    """The words of a name as somebody types it: "O'Brien-Díaz" -> obrien, diaz."""
    return [word for part in BETWEEN_WORDS.split(fold(text)) if (word := part.replace("'", ""))]


def name_words(*names: str) -> frozenset[str]:
    """Every word by which a name may be looked for: O'Brien by obrien and brien, De la Cruz by cruz and delacruz."""
    words: set[str] = set()
    for name in filter(None, names):
        if name.isascii() and name.isalpha():  # most are, and a search ranks hundreds
            words.add(name.lower())
            continue
        typed = typed_words(name)
        words.update(typed)
        words.add("".join(typed))
        words.update(part for part in re.split(r"[^\w]+", fold(name)) if len(part) > 1)
    return frozenset(word[:LONGEST_WORD] for word in words if word)


def sound_of(word: str) -> str:
    """How it sounds in English, so that Gonzales finds Gonzalez; empty for numbers and other scripts."""
    if not (word.isascii() and word.isalpha()):
        return ""
    # Metaphone reads every ch as in church: Christina would not find Kristina.
    return jellyfish.metaphone(word.replace("chr", "kr"))[:40]


def one_slip_away(word: str) -> set[str]:
    """Every word that one missing, extra, wrong or swapped letter makes of this one."""
    if not 3 <= len(word) <= LONGEST_SLIP:
        return set()
    splits = [(word[:at], word[at:]) for at in range(len(word) + 1)]
    missing = {left + right[1:] for left, right in splits if right}
    swapped = {left + right[1] + right[0] + right[2:] for left, right in splits if len(right) > 1}
    wrong = {left + letter + right[1:] for left, right in splits if right for letter in ALPHABET}
    extra = {left + letter + right for left, right in splits for letter in ALPHABET}
    return (missing | swapped | wrong | extra) - {word}


def word_closeness(typed: str, word: str) -> float:
    """1 when equal, a little less when it begins so, else by the letters they share (Jaro-Winkler)."""
    if typed == word:
        return 1.0
    if word.startswith(typed):
        return 0.95
    return 0.9 * jellyfish.jaro_winkler_similarity(typed, word)


def closeness(typed: Collection[str], words: Iterable[str]) -> float:
    """How well what was typed fits a person's words, from 0 to 1: each typed word by its best partner."""
    words = list(words)
    if not typed or not words:
        return 0.0
    return sum(max(word_closeness(one, word) for word in words) for one in typed) / len(typed)


def names_alike(given: str, family: str, other_given: str, other_family: str) -> bool:
    """Could the two be one person, written differently or with given and family name exchanged?"""
    straight = _alike(given, other_given) and _alike(family, other_family)
    return straight or (_alike(given, other_family) and _alike(family, other_given))


def _alike(one: str, other: str) -> bool:
    """Any word of one is, sounds like or nearly is a word of the other."""
    return any(_words_alike(a, b) for a in name_words(one) for b in name_words(other))


def _words_alike(a: str, b: str) -> bool:
    if a == b:
        return True
    if min(len(a), len(b)) < 3:
        return False
    return bool(sound_of(a) and sound_of(a) == sound_of(b)) or jellyfish.jaro_winkler_similarity(a, b) >= ALIKE
