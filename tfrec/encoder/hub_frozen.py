"""A TF-Hub encoder with its variables turned into constants, for an export."""

from __future__ import annotations

from typing import Any

from tfrec.encoder.text_encoder import Role
from tfrec.tensorflow_setup import tf

Tensor = Any


class FrozenHubEncoder(tf.Module):  # type: ignore[misc]
    """Callable (texts string [B], max_tokens, role) -> float32 [B, hidden].

    Args:
        encoder: a HubEncoder, which makes this object; its weights are read now.
        precision: "bf16" lets TensorFlow's mixed-precision pass turn the products to bfloat16; "f32" keeps them.
    """

    def __init__(self, encoder: Any, precision: str) -> None:
        super().__init__(name="frozen_encoder")
        from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

        signature = [tf.TensorSpec([None, None], tf.int32), tf.TensorSpec([None], tf.int32)]
        traced = tf.function(encoder.vectors, input_signature=signature, autograph=False).get_concrete_function()
        frozen = convert_variables_to_constants_v2(traced, lower_control_flow=False)
        graph, hidden = frozen.graph.as_graph_def(), encoder.hidden_size
        names = [tensor.name for tensor in frozen.inputs], frozen.outputs[0].name
        if precision == "bf16":
            graph = _in_bf16(graph, names[1])
        self._preprocessor = encoder.preprocessor  # tracked, so that its tables and files go along
        self._tokenize = encoder.tokenize

        @tf.function(input_signature=signature, autograph=False)
        def vectors(word_ids: Tensor, lengths: Tensor) -> Tensor:
            inputs = dict(zip(names[0], (word_ids, lengths), strict=True))
            (found,) = tf.graph_util.import_graph_def(graph, input_map=inputs, return_elements=[names[1]], name="")
            return tf.ensure_shape(found, [None, hidden])

        self._vectors = vectors

    def __call__(self, texts: Tensor, max_tokens: int, role: Role = "") -> Tensor:
        tokens = self._tokenize(texts, max_tokens, role)
        return self._vectors(tokens.to_tensor(), tf.cast(tokens.row_lengths(), tf.int32))


def _in_bf16(graph: Any, output: str) -> Any:
    """The graph after grappler's oneDNN bfloat16 pass; constant folding then keeps the weights as bfloat16."""
    from tensorflow.core.protobuf import config_pb2
    from tensorflow.core.protobuf.rewriter_config_pb2 import RewriterConfig
    from tensorflow.python.grappler import tf_optimizer

    with tf.Graph().as_default() as imported:
        tf.graph_util.import_graph_def(graph, name="")
        meta = tf.compat.v1.train.export_meta_graph(graph=imported)
    meta.collection_def["train_op"].node_list.value.append(output.split(":")[0])
    config = config_pb2.ConfigProto()
    rewrites = config.graph_options.rewrite_options
    rewrites.auto_mixed_precision_onednn_bfloat16 = RewriterConfig.ON
    rewrites.remapping = RewriterConfig.OFF  # fusing is the serving process's work, for its own CPU
    rewrites.layout_optimizer = RewriterConfig.OFF
    rewrites.min_graph_nodes = -1
    return tf_optimizer.OptimizeGraph(config, meta)
