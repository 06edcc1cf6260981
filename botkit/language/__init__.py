"""Everything orthographic: which language a text is in, its normal form, its words and n-grams.

Building an index and asking it use the same functions, so the two cannot drift apart. What is known of each language is
data (`tables`), the package's and what a corpus adds to it: functions take the tables to go by, and go by the package's
where none are given. The interface's message catalogues live here too. This package never sees an article or a score.
"""

from botkit.language.acts import ACTS, QUESTIONS, act_examples, acts_digest
from botkit.language.coverage import lacking, shortcomings
from botkit.language.detection import Guess, detect
from botkit.language.domains import domains, out_of_domain
from botkit.language.followup_cues import ContextCues, context_cues, named, neither, ordinal
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
from botkit.language.transliteration import Speller, normalise_script, phonetic_keys, spelled

__all__ = [
    "ACTS",
    "CODE",
    "LANGUAGES",
    "QUESTIONS",
    "SHIPPED",
    "Additions",
    "ContextCues",
    "Guess",
    "LanguageError",
    "Speller",
    "Tables",
    "act_examples",
    "acts_digest",
    "checked",
    "clean",
    "code",
    "concerns",
    "context_cues",
    "detect",
    "direction",
    "domain_names",
    "domains",
    "folded",
    "keyed",
    "lacking",
    "messages",
    "named",
    "neither",
    "ngrams",
    "normal",
    "normalise_script",
    "ordinal",
    "out_of_domain",
    "phonetic_keys",
    "script",
    "script_of",
    "shortcomings",
    "smalltalk",
    "spelled",
    "stemmer_version",
    "typed_in_latin",
    "wants_person",
    "web_folder",
    "words",
]
