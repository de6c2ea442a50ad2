"""Letters with signs of European languages: a text of one language has none of the others'."""

from __future__ import annotations

ALPHABETS: dict[str, tuple[str, ...]] = {
    "cp1252": (
        "äöüß", "àâæçéèêëîïôœùûüÿ", "áéíñóúü", "àèéìíòóùú", "áâãàçéêíóôõúü", "éëïóöüè", "åäöé", "æøåé", "áæðéíóöþúý",
    ),
    "cp1250": ("ąćęłńóśźż", "áčďéěíňóřšťúůýž", "áäčďéíĺľňóôŕšťúýž", "áéíóöőúüű", "ăâîşţ", "čćđšž", "äöüß"),
    "cp1254": ("çğıöşüâî",),
}  # fmt: skip
ALPHABETS["iso8859-2"] = ALPHABETS["cp1250"]


def of_one_language(text: str, encoding: str) -> float:
    """The largest share of a text's letters that are no ASCII which one language has.

    Args:
        text: as decoded.
        encoding: one of ALPHABETS: cp1252 for western, cp1250 and iso8859-2 for central Europe, cp1254 for Turkish.
    """
    letters = [sign for sign in text.lower() if not sign.isascii() and sign.isalpha()]
    if not letters:
        return 1.0
    return max(sum(letter in alphabet for letter in letters) for alphabet in ALPHABETS[encoding]) / len(letters)
