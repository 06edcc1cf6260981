"""Everything orthographic: which language a text is in, its normal form, its words and n-grams.

Building an index and asking it use the same functions, so the two cannot drift apart. What is known of each language is
data (`tables`), the package's and what a corpus adds to it: functions take the tables to go by, and go by the package's
where none are given. The interface's message catalogues live here too. This package never sees an article or a score.
"""

from botkit.language.coverage import lacking, shortcomings
from botkit.language.detection import Guess, detect
from botkit.language.domains import domains, out_of_domain
from botkit.language.followup_cues import Lean, lean, named, neither, ordinal
from botkit.language.intents import concerns, smalltalk, wants_person
from botkit.language.messages import keyed, messages, web_folder
from botkit.language.normalise import (
    clean,
    direction,
    folded,
    ngrams,
    normal,
    script,
    script_of,
    stemmer_version,
    typed_in_latin,
    words,
)
from botkit.language.tables import (
    CODE,
    LANGUAGES,
    SHIPPED,
    Additions,
    LanguageError,
    Tables,
    checked,
    code,
    domain_names,
)
from botkit.language.transliteration import Speller, native, sounds, spelled

__all__ = [
    "CODE",
    "LANGUAGES",
    "SHIPPED",
    "Additions",
    "Guess",
    "LanguageError",
    "Lean",
    "Speller",
    "Tables",
    "checked",
    "clean",
    "code",
    "concerns",
    "detect",
    "direction",
    "domain_names",
    "domains",
    "folded",
    "keyed",
    "lacking",
    "lean",
    "messages",
    "named",
    "native",
    "neither",
    "ngrams",
    "normal",
    "ordinal",
    "out_of_domain",
    "script",
    "script_of",
    "shortcomings",
    "smalltalk",
    "sounds",
    "spelled",
    "stemmer_version",
    "typed_in_latin",
    "wants_person",
    "web_folder",
    "words",
]
