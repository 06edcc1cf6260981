"""Write the transformer of multilingual-e5-small as an ONNX graph in 8 bits, from the weights of `weights`.

The graph takes the word vectors of texts of one length and gives each token's last hidden state; the word vectors,
four fifths of the model, stay in their own file. A matrix W has one scale for each of its outputs, s_w = max |W| / 63,
and an activation row x one of its own, s_x = max |x| / 127:

    x W + b  ~  (round(x / s_x) round(W / s_w)) s_x s_w + b

with whole numbers in the middle. 63 and not 127, so that the sum of two products stays below 2^15: processors without
VNNI add such pairs in 16 bits and would cut them off. A scale for each row, so that a text's vector does not depend on
what is embedded beside it; and whole numbers add up to the same on every processor.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from botkit.encoder.weights import Weights, floats

VERSION = 1
"""of what `transformer` writes: a change makes new vectors"""
_ROWS, _WEIGHTS = 127, 63
_FUSED = "com.microsoft"
"""the domain of ONNX Runtime's own operators"""


def transformer(weights: Weights) -> bytes:
    """The serialised graph: `embedded` float32 (texts, tokens, hidden) to `hidden`, of the same shape."""
    return _Graph(weights).model().SerializeToString()  # type: ignore[no-any-return]


class _Graph:
    def __init__(self, weights: Weights) -> None:
        import onnx  # only a first build needs it

        self.onnx, self.weights, self.shape = onnx, weights, weights.shape
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def model(self) -> Any:
        hidden, helper = self.shape.hidden, self.onnx.helper
        for name, value in (
            ("one", np.array(1.0, np.float32)),
            ("to_scale", np.array(1 / _ROWS, np.float32)),
            ("zero", np.array(128, np.uint8)),
            ("zeros", np.array([128], np.uint8)),
            ("last", np.array([-1], np.int64)),
            ("flat", np.array([-1, hidden], np.int64)),
            ("thirds", np.array([hidden] * 3, np.int64)),
        ):
            self.constant(name, value)
        sizes = self.node("Shape", ["embedded"], "sizes")
        rows = self.node("Reshape", ["embedded", "flat"], "rows")
        x = self.node(
            "LayerNormalization",
            [rows, self.vector("emb.ln.w"), self.vector("emb.ln.b")],
            "embedded.normal",
            epsilon=self.shape.epsilon,
        )
        for number in range(self.shape.layers):
            x = self.layer(f"l{number}", x, sizes)
        self.node("Reshape", [x, sizes], "hidden")
        number, shape = self.onnx.TensorProto.FLOAT, ["texts", "tokens", hidden]
        ends = [helper.make_tensor_value_info(name, number, shape) for name in ("embedded", "hidden")]
        graph = helper.make_graph(self.nodes, "multilingual-e5-small", ends[:1], ends[1:], self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18), helper.make_opsetid(_FUSED, 1)])
        model.ir_version = 10
        return model

    def layer(self, name: str, x: str, sizes: str) -> str:
        """Attention and a feed-forward part, each added to what came in and normalised."""
        hidden, inner = self.shape.hidden, self.shape.inner
        asked = self.product(f"{name}.qkv", x, [f"{name}.{part}" for part in "qkv"], hidden, hidden)
        self.constant(f"{name}.qkv.b", np.concatenate([self.weights.vector(f"{name}.{part}.b") for part in "qkv"]))
        self.node("Split", [asked, "thirds"], [f"{name}.{part}.flat" for part in "qkv"], axis=-1)
        parts = [self.node("Reshape", [f"{name}.{part}.flat", sizes], f"{name}.{part}") for part in "qkv"]
        known = self.node(
            "MultiHeadAttention", [*parts, f"{name}.qkv.b"], f"{name}.seen", _FUSED, num_heads=self.shape.heads
        )
        known = self.node("Reshape", [known, "flat"], f"{name}.seen.rows")
        result = self.product(f"{name}.ao", known, [f"{name}.ao"], hidden, hidden)
        x = self.added(f"{name}.aln", result, x, f"{name}.ao.b")
        wide = self.product(f"{name}.fi", x, [f"{name}.fi"], inner, hidden)
        wide = self.node("BiasGelu", [wide, self.vector(f"{name}.fi.b")], f"{name}.gelu", _FUSED)
        narrow = self.product(f"{name}.fo", wide, [f"{name}.fo"], hidden, inner)
        return self.added(f"{name}.oln", narrow, x, f"{name}.fo.b")

    def product(self, name: str, x: str, matrices: list[str], rows: int, columns: int) -> str:
        """x W without the bias, x of shape (tokens, columns)."""
        numbers = np.concatenate([floats(self.weights.blocks(f"{part}.w", rows, columns)) for part in matrices])
        scale = np.maximum(np.abs(numbers).max(axis=1), 1e-12) / _WEIGHTS
        self.constant(f"{name}.w8", np.rint(numbers / scale[:, None]).astype(np.int8).T)
        self.constant(f"{name}.s", scale.astype(np.float32))
        whole, row_scale = self.rounded(x)
        inputs = [whole, f"{name}.w8", "one", f"{name}.s", "zero"]
        product = self.node("MatMulIntegerToFloat", inputs, f"{name}.product", _FUSED)
        return self.node("Mul", [product, row_scale], f"{name}.scaled")

    def rounded(self, x: str) -> tuple[str, str]:
        """Each row of x as bytes around 128, and its scale, shape (tokens, 1)."""
        size = self.node("Abs", [x], f"{x}.size")
        most = self.node("ReduceMax", [size, "last"], f"{x}.most", keepdims=1)
        scale = self.node("Mul", [most, "to_scale"], f"{x}.scale")
        line = self.node("Squeeze", [scale, "last"], f"{x}.scales")
        count = self.node("Shape", [line], f"{x}.count")
        zeros = self.node("Expand", ["zeros", count], f"{x}.zeros")
        return self.node("QuantizeLinear", [x, line, zeros], f"{x}.whole", axis=0), scale

    def added(self, name: str, new: str, old: str, bias: str) -> str:
        """The layer norm of new + bias + old."""
        inputs = [new, old, self.vector(f"{name}.w"), self.vector(f"{name}.b"), self.vector(bias)]
        return self.node("SkipLayerNormalization", inputs, f"{name}.normal", _FUSED, epsilon=self.shape.epsilon)

    def node(self, kind: str, inputs: list[str], outputs: str | list[str], domain: str = "", **kw: Any) -> str:
        names = [outputs] if isinstance(outputs, str) else outputs
        self.nodes.append(self.onnx.helper.make_node(kind, inputs, names, domain=domain, **kw))
        return names[0]

    def vector(self, name: str) -> str:
        self.constant(name, self.weights.vector(name))
        return name

    def constant(self, name: str, value: np.ndarray) -> None:
        self.constants.append(self.onnx.numpy_helper.from_array(np.ascontiguousarray(value), name))
