"""Tracing what is about to be saved, once."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

from tfrec.tensorflow_setup import tf


def traced_for_saving() -> AbstractContextManager[None]:
    """A context in which functions are traced as `tf.saved_model.save` asks for them afterwards.

    Saving has a context that is part of the key by which a function's graphs are kept, so that those traced outside of
    it are traced again: half of what installing an encoder takes. The context is TensorFlow's own affair; where it is
    not to be had, saving takes longer and gives the same.
    """
    try:
        from tensorflow.python.saved_model.save_context import save_context
    except ImportError:
        return nullcontext()
    return save_context(tf.saved_model.SaveOptions())
