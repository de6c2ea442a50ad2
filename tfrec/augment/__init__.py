"""More training signal from the same labels: text and image augmentation as tf.data graph code."""
