"""The model of bench/paper.ts in int8: dynamic, per channel, linear layers and convolutions.

    python bench/peers/paper_int8.py FOLDER RUNS [busy]

FOLDER holds model.onnx with its weights beside it. Prints one JSON line: {"seconds": median, "peakMemoryMb": n, "error":
root mean square off the same model in fp32 by that of fp32's outputs, "fp32Seconds": of that model in this runtime, in
turn with the other}. Convolutions have unsigned weights: with signed ones ONNX Runtime's ConvInteger took three times as
long as fp32's Conv.
"""

import json
import logging
import os
import statistics
import subprocess
import sys
import time

import numpy as np
import onnxruntime as ort

FOLDER, RUNS = sys.argv[1], int(sys.argv[2])
IS_BUSY = sys.argv[3:4] == ["busy"]
clock = time.process_time if IS_BUSY else time.perf_counter
PLAIN, QUANTISED = os.path.join(FOLDER, "model.onnx"), os.path.join(FOLDER, "int8.onnx")


def make():
    """Writes the model in int8, the linear layers first."""
    from onnx import TensorProto
    from onnxruntime.quantization import QuantType, quantize_dynamic

    logging.disable(logging.WARNING)
    linear = os.path.join(FOLDER, "linear.onnx")
    # Shapes behind the runtime's own operators are not inferred: the type of their results has to be said.
    common = dict(
        per_channel=True, use_external_data_format=True,
        extra_options={"MatMulConstBOnly": True, "DefaultTensorType": TensorProto.FLOAT},
    )
    quantize_dynamic(PLAIN, linear, op_types_to_quantize=["MatMul", "Gemm"], weight_type=QuantType.QInt8, **common)
    quantize_dynamic(linear, QUANTISED, op_types_to_quantize=["Conv"], weight_type=QuantType.QUInt8, **common)
    for path in (linear, linear + ".data"):
        os.remove(path)


def peak_mb():
    with open("/proc/self/status") as status:
        lines = dict(line.split(":", 1) for line in status)
    return round(int(lines["VmHWM"].split()[0]) * 1024 / 1e6)


def open_session(path):
    chosen = ort.SessionOptions()
    chosen.intra_op_num_threads = 1 if IS_BUSY else 0
    chosen.enable_cpu_mem_arena = False
    return ort.InferenceSession(path, chosen, providers=["CPUExecutionProvider"])


def main():
    with open(os.path.join(FOLDER, "inputs.json")) as file:
        inputs = json.load(file)
    noise = np.random.default_rng(2)
    feeds = {
        one["name"]: np.full(one["shape"], 0 if one["name"] == "label" else 500, np.int64)
        if one["dtype"] == "int64"
        else noise.standard_normal(one["shape"]).astype(np.float32)
        for one in inputs
    }
    quantised = open_session(QUANTISED)
    outputs = [quantised.run(None, feeds)]
    # Before fp32's weights come.
    peak = peak_mb()
    sessions = [quantised, open_session(PLAIN)]
    outputs.append(sessions[1].run(None, feeds))
    times = [[], []]
    for _ in range(RUNS):
        for own, session in zip(times, sessions):
            start = clock()
            session.run(None, feeds)
            own.append(clock() - start)
    got, wanted = (np.concatenate([output.ravel() for output in one]) for one in outputs)
    error = float(np.sqrt(np.mean((got - wanted) ** 2) / np.mean(wanted**2)))
    seconds, fp32_seconds = map(statistics.median, times)
    print(json.dumps({"seconds": seconds, "peakMemoryMb": peak, "error": error, "fp32Seconds": fp32_seconds}))


if sys.argv[3:] == ["make"]:
    make()
else:
    # In a process of its own, so that what making the model takes is not in the peak.
    subprocess.run([sys.executable, __file__, FOLDER, "0", "make"], check=True)
    main()
