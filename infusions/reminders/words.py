"""Words that mail, calendar entries and links must not hold: whoever looks over a shoulder learns nothing of health."""

from infusions.formulary.clinical_words import CLINICAL_STEMS, clinical_words, formulary_stems, is_neutral, stems_in

__all__ = ["CLINICAL_STEMS", "clinical_words", "formulary_stems", "is_neutral", "stems_in"]
