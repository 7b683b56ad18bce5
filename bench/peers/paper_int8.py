"""The model of bench/paper.ts in int8: dynamic, per channel, linear layers and convolutions.

    python bench/peers/paper_int8.py FOLDER RUNS [busy]

FOLDER holds model.onnx with its weights beside it. Prints one JSON line: {"seconds": median, "peakMemoryMb": n, "error":
root mean square off the same model in fp32 by that of fp32's outputs, "fp32Seconds": of that model in this runtime}.
"""

import json
import os
import resource
import statistics
import sys
import time

import numpy as np
import onnxruntime as ort
from onnxruntime.quantization import QuantType, quantize_dynamic

FOLDER, RUNS = sys.argv[1], int(sys.argv[2])
IS_BUSY = sys.argv[3:] == ["busy"]
clock = time.process_time if IS_BUSY else time.perf_counter
PLAIN, QUANTISED = os.path.join(FOLDER, "model.onnx"), os.path.join(FOLDER, "int8.onnx")

with open(os.path.join(FOLDER, "inputs.json")) as file:
    inputs = json.load(file)
noise = np.random.default_rng(2)
feeds = {
    one["name"]: np.full(one["shape"], 0 if one["name"] == "label" else 500, np.int64)
    if one["dtype"] == "int64"
    else noise.standard_normal(one["shape"]).astype(np.float32)
    for one in inputs
}


def measure(path):
    chosen = ort.SessionOptions()
    chosen.intra_op_num_threads = 1 if IS_BUSY else 0
    chosen.enable_cpu_mem_arena = False
    session = ort.InferenceSession(path, chosen, providers=["CPUExecutionProvider"])
    outputs = session.run(None, feeds)
    times = []
    for _ in range(RUNS):
        start = clock()
        session.run(None, feeds)
        times.append(clock() - start)
    return statistics.median(times), np.concatenate([output.ravel() for output in outputs])


# In a process of its own, so that what making the model takes is not in the peak.
maker = os.fork()
if maker == 0:
    quantize_dynamic(
        PLAIN, QUANTISED, per_channel=True, op_types_to_quantize=["MatMul", "Gemm", "Conv"], weight_type=QuantType.QInt8,
        use_external_data_format=True, extra_options={"MatMulConstBOnly": True},
    )
    os._exit(0)
if os.waitpid(maker, 0)[1] != 0:
    sys.exit("the model could not be quantised")
seconds, got = measure(QUANTISED)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
fp32_seconds, wanted = measure(PLAIN)
error = float(np.sqrt(np.mean((got - wanted) ** 2) / np.mean(wanted**2)))
print(json.dumps({"seconds": seconds, "peakMemoryMb": round(peak), "error": error, "fp32Seconds": fp32_seconds}))
