"""Whether 8-bit weights multiply faster than f32 ones in stock TensorFlow ops, on a CPU without bf16.

    python benchmarks/int8_matmul.py
    python benchmarks/int8_matmul.py --isa DEFAULT --tokens 8 64 512

The four products of a layer of MiniLM (384 and 1,536 wide) with weights as constants of the graph, as an export holds
them. Weights have one scale per output channel; activations, where an op wants them in 8 bits, one for the call, found
in the graph, and scales are applied in f32 behind the product. oneDNN is told to use no more than AVX2
(ONEDNN_MAX_CPU_ISA), which imitates such a CPU on another; DEFAULT leaves it what there is. One thread; all forms take
turns; printed are processor milliseconds of a layer's products (median), their ratio to f32's, and the greatest error
as a share of the greatest value. Without VNNI oneDNN adds pairs of products of u8 and s8 in 16 bits, which overflow:
weights of 7 bits do not. All ops are on the list of stock TF Serving. Writes
benchmarks/results/int8_matmul_ISA.json.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

RESULTS = Path(__file__).parent / "results"
HIDDEN, INNER = 384, 1536
SHAPES = [(HIDDEN, 3 * HIDDEN), (HIDDEN, HIDDEN), (HIDDEN, INNER), (INNER, HIDDEN)]
MOST, BASE = 127.0, "MatMul, f32"


def forms(tf: Any) -> dict[str, Callable[[Any, np.ndarray], Any]]:
    """Ways to multiply x float32 [tokens, I] with constant weights [I, O], by name."""

    def scaled(weights: np.ndarray, most: float = MOST) -> tuple[np.ndarray, np.ndarray]:
        scales = np.abs(weights).max(axis=0) / most
        return np.round(weights / scales).astype(np.int8), scales.astype(np.float32)

    def quantised(x: Any) -> tuple[Any, Any]:
        scale = tf.maximum(tf.reduce_max(tf.abs(x)), 1e-9) / MOST
        return tf.cast(tf.round(x / scale), tf.int8), scale

    def plain(x: Any, weights: np.ndarray) -> Any:
        return tf.matmul(x, tf.constant(weights))

    def cast(x: Any, weights: np.ndarray) -> Any:
        whole, scales = scaled(weights)
        # An argument of its own, or grappler would fold the cast into an f32 constant.
        return (
            tf.matmul(x, tf.cast(tf.bitcast(tf.constant(whole) + tf.cast(x[0, 0] * 0, tf.int8), tf.int8), tf.float32))
            * scales
        )

    def hybrid(x: Any, weights: np.ndarray) -> Any:
        whole, scales = scaled(weights)
        zeros = tf.zeros([len(scales)], tf.int32)
        return tf.raw_ops.UniformQuantizedDotHybrid(
            lhs=x, rhs=tf.bitcast(tf.constant(whole), tf.qint8), rhs_scales=scales, rhs_zero_points=zeros,
            Tout=tf.float32, rhs_quantization_min_val=-127, rhs_quantization_max_val=127, rhs_quantization_axis=1,
        )  # fmt: skip

    def uniform(x: Any, weights: np.ndarray) -> Any:
        (whole, scales), (small, scale) = scaled(weights), quantised(x)
        zeros, ones = tf.zeros([len(scales)], tf.int32), np.ones_like(scales)
        found = tf.raw_ops.UniformQuantizedDot(
            lhs=tf.bitcast(small, tf.qint8), rhs=tf.bitcast(tf.constant(whole), tf.qint8), lhs_scales=1.0,
            lhs_zero_points=0, rhs_scales=ones, rhs_zero_points=zeros, output_scales=ones, output_zero_points=zeros,
            Tout=tf.qint32, lhs_quantization_min_val=-127, lhs_quantization_max_val=127, rhs_quantization_min_val=-127,
            rhs_quantization_max_val=127, output_quantization_min_val=-(2**31), output_quantization_max_val=2**31 - 1,
            rhs_quantization_axis=1, output_quantization_axis=1,
        )  # fmt: skip
        return tf.cast(tf.bitcast(found, tf.int32), tf.float32) * (scale * scales)

    def with_bias(x: Any, weights: np.ndarray, most: float = MOST) -> Any:
        (whole, scales), (small, scale) = scaled(weights, most), quantised(x)
        unsigned = tf.cast(tf.cast(small, tf.int32) + 128, tf.uint8)
        found, _, _ = tf.raw_ops.QuantizedMatMulWithBias(
            a=tf.bitcast(unsigned, tf.quint8), b=tf.bitcast(tf.constant(whole), tf.qint8), bias=np.zeros_like(scales),
            min_a=0.0, max_a=255.0, min_b=-MOST, max_b=MOST, Toutput=tf.qint32, input_quant_mode="SCALED",
        )  # fmt: skip
        shifted = tf.bitcast(found, tf.int32) - 128 * whole.astype(np.int32).sum(axis=0)
        return tf.cast(shifted, tf.float32) * (scale * scales)

    def both_unsigned(x: Any, weights: np.ndarray) -> Any:
        (whole, scales), (small, scale) = scaled(weights), quantised(x)
        left = tf.cast(tf.cast(small, tf.int32) + 128, tf.uint8)
        right = tf.constant((whole.astype(np.int32) + 128).astype(np.uint8))
        found, _, _ = tf.raw_ops.QuantizedMatMul(
            a=tf.bitcast(left, tf.quint8), b=tf.bitcast(right, tf.quint8), min_a=-128.0, max_a=127.0, min_b=-128.0,
            max_b=127.0, Toutput=tf.qint32,
        )  # fmt: skip
        return tf.cast(tf.bitcast(found, tf.int32), tf.float32) * (scale * scales)

    def batched(x: Any, weights: np.ndarray) -> Any:
        (whole, scales), (small, scale) = scaled(weights), quantised(x)
        found = tf.raw_ops.BatchMatMulV3(x=small, y=tf.constant(whole), Tout=tf.int32)
        return tf.cast(found, tf.float32) * (scale * scales)

    return {
        BASE: plain, "weights cast at each call": cast, "UniformQuantizedDotHybrid": hybrid,
        "UniformQuantizedDot": uniform, "QuantizedMatMulWithBias": with_bias,
        "... with weights of 7 bits": lambda x, weights: with_bias(x, weights, 63.0),
        "QuantizedMatMul": both_unsigned, "BatchMatMulV3, int8": batched,
    }  # fmt: skip


def layer(tf: Any, form: Callable[[Any, np.ndarray], Any], weights: list[np.ndarray]) -> Any:
    """All products of a layer as one graph: {width: x} -> their results."""
    inputs = [tf.TensorSpec([None, shape[0]], tf.float32) for shape in SHAPES]
    return tf.function(lambda *x: [form(one, w) for one, w in zip(x, weights, strict=True)], inputs, autograph=False)


def measured(tokens: int, rounds: int, only: list[str]) -> dict[str, Any]:
    """Every form at one number of tokens."""
    import tensorflow as tf

    rng = np.random.default_rng(17)
    weights = [(rng.standard_normal(shape) * 0.05).astype(np.float32) for shape in SHAPES]
    x = [tf.constant(rng.standard_normal((tokens, shape[0])).astype(np.float32)) for shape in SHAPES]
    exact = [one.numpy() @ w for one, w in zip(x, weights, strict=True)]
    ready, found = {}, {}
    for name, form in forms(tf).items():
        if only and name != BASE and not any(part in name for part in only):
            continue
        try:
            graph = layer(tf, form, weights)
            errors = [np.abs(a.numpy() - b).max() / np.abs(b).max() for a, b in zip(graph(*x), exact, strict=True)]
        except (tf.errors.OpError, ValueError, TypeError) as error:
            found[name] = {"refused": str(error).splitlines()[0][:160]}
            continue
        ready[name], found[name] = graph, {"error": float(max(errors))}
    times: dict[str, list[float]] = {name: [] for name in ready}
    for number in range(-2, rounds):
        for name, graph in ready.items():
            if number > 2 and times[name][0] > 20 * times[BASE][0]:  # hopeless: two or three rounds are enough
                continue
            started = time.process_time()
            graph(*x)
            if number >= 0:
                times[name].append(1e3 * (time.process_time() - started))
    base = statistics.median(times[BASE])
    for name, taken in times.items():
        found[name] |= {"cpu_ms": statistics.median(taken), "ratio": statistics.median(taken) / base}
    return found


def main() -> None:
    """Prints a table for each number of tokens."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--isa", default="AVX2", help="most that oneDNN may use, or DEFAULT")
    parser.add_argument("--tokens", type=int, nargs="+", default=[8, 64, 512])
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--only", nargs="+", default=[], help="forms whose names hold one of these, beside f32")
    options = parser.parse_args()
    os.environ |= {"ONEDNN_MAX_CPU_ISA": options.isa, "TF_NUM_INTRAOP_THREADS": "1", "OMP_NUM_THREADS": "1"}
    from tfrec.files import write_json

    result = {}
    for tokens in options.tokens:
        result[str(tokens)] = found = measured(tokens, options.rounds, options.only)
        print(f"{tokens} tokens, {options.isa}")
        for name, one in found.items():
            told = one.get("refused") or f"{one['cpu_ms']:9.3f} ms {one['ratio']:7.2f} x  error {one['error']:.4f}"
            print(f"  {name:31} {told}", flush=True)
    write_json(RESULTS / f"int8_matmul_{options.isa}.json", result)


if __name__ == "__main__":
    main()
