"""One SavedModel that stock TensorFlow Serving runs: tokenizer, encoder, towers and catalogue, with a manifest."""
