"""Write multilingual-e5-small as a folder that sentence-transformers loads, from the same weights as the default."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from botkit.encoder.e5 import DOCUMENT, DOCUMENT_TOKENS, QUERY
from botkit.encoder.weights import Vocabulary, Weights, floats

_NAMES = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}
"""the parts of a layer: in the file of weights, and in a BERT of the transformers library"""


def write(weights: Weights, folder: Path) -> None:
    """Fill a folder with the model in fp32, some 470 million bytes, its tokeniser and its two prompts."""
    from safetensors.numpy import save_file

    folder.mkdir(parents=True, exist_ok=True)
    save_file(_tensors(weights), folder / "model.safetensors", metadata={"format": "pt"})
    _tokeniser(weights.vocabulary()).save(str(folder / "tokenizer.json"))
    shape = weights.shape
    for name, table in {
        "config.json": {
            "architectures": ["BertModel"],
            "model_type": "bert",
            "hidden_act": "gelu",
            "hidden_size": shape.hidden,
            "intermediate_size": shape.inner,
            "layer_norm_eps": 1e-12,
            "max_position_embeddings": shape.positions,
            "num_attention_heads": shape.heads,
            "num_hidden_layers": shape.layers,
            "pad_token_id": 1,
            "type_vocab_size": 2,
            "vocab_size": shape.vocabulary,
        },
        "tokenizer_config.json": {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "model_max_length": DOCUMENT_TOKENS,
            "bos_token": "<s>",
            "cls_token": "<s>",
            "eos_token": "</s>",
            "sep_token": "</s>",
            "pad_token": "<pad>",
            "unk_token": "<unk>",
        },
        "modules.json": [
            {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
            {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
            {"idx": 2, "name": "2", "path": "2_Normalize", "type": "sentence_transformers.models.Normalize"},
        ],
        "sentence_bert_config.json": {"max_seq_length": DOCUMENT_TOKENS, "do_lower_case": False},
        "config_sentence_transformers.json": {"prompts": {"query": QUERY, "document": DOCUMENT}},
        "1_Pooling/config.json": {"word_embedding_dimension": shape.hidden, "pooling_mode_mean_tokens": True},
    }.items():
        file = folder / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")
    (folder / "2_Normalize").mkdir(exist_ok=True)


def _tensors(weights: Weights) -> dict[str, np.ndarray]:
    shape = weights.shape
    result = {
        "embeddings.word_embeddings.weight": floats(weights.blocks("emb.word", shape.vocabulary, shape.hidden)),
        "embeddings.position_embeddings.weight": weights.vector("emb.pos").reshape(-1, shape.hidden),
        "embeddings.token_type_embeddings.weight": weights.vector("emb.type").reshape(-1, shape.hidden),
        "embeddings.LayerNorm.weight": weights.vector("emb.ln.w"),
        "embeddings.LayerNorm.bias": weights.vector("emb.ln.b"),
    }
    for number in range(shape.layers):
        for short, long in _NAMES.items():
            ours, theirs = f"l{number}.{short}", f"encoder.layer.{number}.{long}"
            rows = shape.inner if short == "fi" else shape.hidden
            columns = shape.inner if short == "fo" else shape.hidden
            norm = short.endswith("ln")
            matrix = weights.vector(f"{ours}.w") if norm else floats(weights.blocks(f"{ours}.w", rows, columns))
            result |= {f"{theirs}.weight": matrix, f"{theirs}.bias": weights.vector(f"{ours}.b")}
    return {name: np.ascontiguousarray(tensor) for name, tensor in result.items()}


def _tokeniser(vocabulary: Vocabulary):  # type: ignore[no-untyped-def]
    """The vocabulary for the `tokenizers` package. Its map of single characters is put as the rule it was made by:
    some vanish, some become a blank, the others take their compatibility form."""
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

    def each(becomes: str) -> Regex:
        points = "".join(f"\\x{{{ord(c):x}}}" for c, other in vocabulary.normal.items() if other == becomes)
        return Regex(f"[{points}]")

    scores = vocabulary.scores.astype(float).tolist()
    pieces = list(zip(vocabulary.pieces, scores, strict=True))
    tokenizer = Tokenizer(models.Unigram(pieces, vocabulary.unknown))
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.Replace(each(""), ""),
            normalizers.Replace(each(" "), " "),
            normalizers.NFKC(),
            normalizers.Replace(Regex(" {2,}"), " "),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="\u2581", prepend_scheme="always", split=False)
    ends = [("<s>", vocabulary.start), ("</s>", vocabulary.end)]
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=ends
    )
    return tokenizer
