"""Words and signs of printed ranges, in twelve languages: a closed list, which `_printed_ranges` reads by."""

from __future__ import annotations

# word in front -> the end it gives, and whether that end belongs to the range
END_WORDS: dict[tuple[str, bool], str] = {
    ("high", True): "<= up to|upto|at most|no more than|not more than|max|max.|maximal|maximum|bis|bis zu|höchstens|hoechstens|kleiner gleich|"
    "kleiner oder gleich|jusqu'à|jusqu'a|au plus|inf. ou égal à|inférieur ou égal à|inférieure ou égale à|hasta|como máximo|máx.|fino a|"
    "al massimo|tot|tot en met|t/m|ten hoogste|maximaal|op til|indtil|opp til|opptil|inntil|upp till|högst|høyst|højst|do|enintään|<ou=|< ou =|<= à|<or=|< or =|< or equal to",
    ("high", False): "< less than|lower than|below|under|smaller than|unter|kleiner|kleiner als|weniger als|inf. à|inf à|inf. a|inf a|< à|inférieur à|"
    "inférieure à|moins de|menor de|menor que|inferior a|menos de|inferiore a|minore di|meno di|kleiner dan|minder dan|lager dan|onder|"
    "mindre än|mindre end|mindre enn|lavere enn|lavere end|lägre än|pod|poniżej",
    ("low", True): ">= at least|no less than|not less than|from|min|min.|minimal|minimum|mindestens|mind.|ab|größer gleich|größer oder gleich|grösser gleich|"
    "au moins|sup. ou égal à|supérieur ou égal à|supérieure ou égale à|à partir de|al menos|como mínimo|mín.|a partir de|almeno|ten minste|"
    "minstens|vanaf|minst|mindst|vähintään|>ou=|> ou =|>= à|>or=|> or =|> or equal to",
    ("low", False): "> greater than|more than|higher than|larger than|above|over|über|größer|grösser|größer als|grösser als|mehr als|höher als|sup. à|"
    "sup à|sup. a|sup a|> à|supérieur à|supérieure à|plus de|mayor de|mayor que|superior a|más de|superiore a|maggiore di|più di|groter dan|meer dan|"
    "hoger dan|boven|större än|mer än|større end|større enn|mere end|mer enn|nad|powyżej|yli",
}  # fmt: skip
# words that stand between two ends, and those that do so only behind a word in front of the first
BETWEEN_WORDS = ("to", "bis", "à", "a", "tot", "t/m", "hasta", "til", "till", "al", "až")
FRAMING_WORDS = {
    "from": "to", "between": "and|to", "von": "bis", "zwischen": "und|bis", "de": "à|a", "entre": "et|y|e|and", "desde": "hasta|a", "da": "a",
    "dal": "al", "tra": "e|ed", "fra": "e|ed|til", "van": "tot", "tussen": "en", "från": "till", "mellan": "och", "mellem": "og", "mellom": "og", "od": "do|až",
}  # fmt: skip
RANGE_LABELS = (
    "ref|ref.|réf|réf.|vn|v.n.|vr|v.r.|ref.-bereich|ref.bereich|ref.-wert|ref.wert|referenzintervall|referentie|referentie-interval|"
    "referentieinterval|intervalle de référence|intervallo di riferimento|intervalo de referencia|ref.int.|ref.omr.|reference|reference range|reference interval|range|normal|normal range|norm|referenz|referenzbereich|"
    "referenzwert|normbereich|normalbereich|normalwert|normwert|valeur de référence|valeurs de référence|valeurs normales|valore di riferimento|"
    "valori di riferimento|valor de referencia|valores de referencia|referentiewaarden|referentiewaarde|referensintervall|referenceinterval|"
    "referanseområde"
)

ONE_SIGN: dict[int, str | None] = dict.fromkeys(map(ord, "\u00a0\u2007\u2009\u200a\u202f\u2002\u2003"), " ")
ONE_SIGN |= dict.fromkeys(map(ord, "‐‑‒–—―−\u0096\u0097"), "-")
ONE_SIGN |= {
    ord("’"): "'",
    ord("‘"): "'",
    ord("≤"): "<=",
    ord("≥"): ">=",
    ord("⩽"): "<=",
    ord("⩾"): ">=",
    ord("≦"): "<=",
    ord("≧"): ">=",
    ord("＜"): "<",
    ord("＞"): ">",
    0xFEFF: None,
    0x200B: None,
}
MARKUP = (
    ("&lt;", "<"),
    ("&gt;", ">"),
    ("&le;", "<="),
    ("&ge;", ">="),
    ("=<", "<="),
    ("=>", ">="),
    ("< =", "<="),
    ("> =", ">="),
    ("â€“", "-"),
    ("â‰¤", "<="),
    ("â‰¥", ">="),
)  # UTF-8 read as another set
