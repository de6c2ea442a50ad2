"""Letters with signs of European languages: a text of one language has none of the others'."""

from __future__ import annotations

_ALPHABETS: dict[str, tuple[str, ...]] = {
    "cp1252": (
        "äöüß", "àâæçéèêëîïôœùûüÿ", "áéíñóúü", "àèéìíòóùú", "áâãàçéêíóôõúü", "éëïóöüè", "åäöé", "æøåé", "áæðéíóöþúý",
    ),
    "cp1250": ("ąćęłńóśźż", "áčďéěíňóřšťúůýž", "áäčďéíĺľňóôŕšťúýž", "áéíóöőúüű", "ăâîşţ", "čćđšž", "äöüß"),
}  # fmt: skip


def of_one_language(text: str, encoding: str) -> float:
    """The largest share of a text's letters that are no ASCII which one language has.

    Args:
        text: as decoded.
        encoding: cp1252 for the languages of western, cp1250 for those of central Europe.
    """
    letters = [sign for sign in text.lower() if not sign.isascii() and sign.isalpha()]
    if not letters:
        return 1.0
    return max(sum(letter in alphabet for letter in letters) for alphabet in _ALPHABETS[encoding]) / len(letters)
