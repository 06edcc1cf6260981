"""Everything orthographic: which language a text is in, its normal form, its words and n-grams.

Building an index and asking it use the same functions, so the two cannot drift apart. The
interface's message catalogues and the few phrases that a bot must know by itself live here too,
since they are the only other things that are written for one language. This house never sees an
article or a score.
"""

from botkit.language.catalogue import messages, web_folder
from botkit.language.concerns import concerns
from botkit.language.context import Lean, lean, named, neither, ordinal
from botkit.language.detection import Guess, detect
from botkit.language.forms import (
    LANGUAGES,
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
from botkit.language.latin import native, sounds
from botkit.language.phrases import elsewhere, smalltalk, wants_person
from botkit.language.spelling import SPELLED, Speller
from botkit.language.trades import TRADES, trades

__all__ = [
    "LANGUAGES",
    "SPELLED",
    "TRADES",
    "Guess",
    "Lean",
    "Speller",
    "clean",
    "concerns",
    "detect",
    "direction",
    "elsewhere",
    "folded",
    "lean",
    "messages",
    "named",
    "native",
    "neither",
    "ngrams",
    "normal",
    "ordinal",
    "script",
    "script_of",
    "smalltalk",
    "sounds",
    "stemmer_version",
    "trades",
    "typed_in_latin",
    "wants_person",
    "web_folder",
    "words",
]
