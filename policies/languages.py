"""Which language codes exist, so that a mistyped one is noticed.

The two-letter codes of ISO 639-1. A script or a country may follow a code, as
in zh-Hans; three-letter codes are taken as they are.
"""

_CODES = frozenset(
    """
    aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv cy
    da de dv dz ee el en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu
    hy hz ia id ie ig ii ik io is it iu ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb
    lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl nn no nr nv ny oc oj om
    or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq sr ss st su sv sw
    ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu
    """.split()  # noqa: SIM905  # a table of words reads better than 180 quoted ones
)

_NAMES = {
    "arabic": "ar",
    "chinese": "zh-Hans",
    "dutch": "nl",
    "english": "en",
    "farsi": "fa",
    "french": "fr",
    "indonesian": "id",
    "persian": "fa",
    "portuguese": "pt",
    "russian": "ru",
    "spanish": "es",
    "swahili": "sw",
    "turkish": "tr",
    "ukrainian": "uk",
}


def is_known_language(code: str) -> bool:
    """Whether a code names a language; unknown two-letter codes and whole words do not."""
    base = code.split("-", 1)[0]
    return base in _CODES or (len(base) == 3 and base.isalpha())


def language_hint(written: str) -> str:
    """Say what to write for a code that does not exist."""
    code = _NAMES.get(written.strip().lower())
    return f"Write «{code}»." if code else "Write a code such as en, fr, ar or zh-Hans."
