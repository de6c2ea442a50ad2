"""Runs with TensorFlow and TensorFlow Text alone: loads an export and prints the top 10 of queries as JSON.

Arguments: version folder. Standard input: JSON list of queries.
"""

import json
import sys

import tensorflow as tf
import tensorflow_text  # noqa: F401  (registers the tokenizer's ops)

loaded = tf.saved_model.load(sys.argv[1])
queries = json.load(sys.stdin)
found = loaded.signatures["search"](query=tf.constant(queries), k=tf.constant(10))
signatures = {
    name: [
        {spec.name: spec.dtype.name for spec in function.structured_input_signature[1].values()},
        {key: spec.dtype.name for key, spec in function.structured_outputs.items()},
    ]
    for name, function in loaded.signatures.items()
}
assert not [name for name in sys.modules if name.split(".")[0] in ("tfrec", "tf_keras", "tensorflow_recommenders")]
item_ids = [[raw.decode() for raw in row] for row in found["item_ids"].numpy()]
print(json.dumps({"item_ids": item_ids, "scores": found["scores"].numpy().tolist(), "signatures": signatures}))
