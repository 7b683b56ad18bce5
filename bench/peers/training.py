"""PyTorch's side of bench/training.ts: a process that runs what it is asked for, one thing at a time.

    python bench/peers/training.py CONFIG [THREADS]

Reads one JSON object a line, answers with one: {"open": title, "case": {...}} prepares a case and answers with the
shapes of a network's parameters by name; {"run": title} runs it once and answers with the milliseconds of processor
time, of several threads with those that passed; {"close": title} forgets it; {"memory": true} answers with bytes held at
most. Float32 or bfloat16 by autocast, channels last for pictures, fused AdamW.
"""

import json
import resource
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

import compact_networks

THREADS = int(sys.argv[2]) if len(sys.argv) > 2 else 1
CLOCK = time.process_time if THREADS == 1 else time.perf_counter
torch.set_num_threads(THREADS)
torch.set_flush_denormal(True)
torch.manual_seed(1)
CONFIG = json.load(open(sys.argv[1]))


def pictures(*shape):
    value = torch.randn(*shape)
    return value.contiguous(memory_format=torch.channels_last) if len(shape) == 4 else value


def both_ways(run, inputs):
    """Forward and backward of a function of inputs that want gradients."""
    gradient = torch.randn_like(run(*inputs))
    if gradient.ndim == 4:
        gradient = gradient.contiguous(memory_format=torch.channels_last)
    return lambda: torch.autograd.grad(run(*inputs), inputs, gradient)


def open_primitive(case):
    kind, shape = case["kind"], case["shape"]
    if kind == "conv":
        channels = shape[1]
        x, g, weight = pictures(*shape), pictures(*shape), pictures(channels, channels, 3, 3)
        if case["part"] == "forward":
            return lambda: F.conv2d(x, weight, padding=1)
        mask = [case["part"] == "input gradient", case["part"] == "weight gradient", False]
        rest = ([channels], [1, 1], [1, 1], [1, 1], False, [0, 0], 1, mask)
        return lambda: torch.ops.aten.convolution_backward(g, x, weight, *rest)
    if kind == "adamw":
        weights = [torch.randn(shape).requires_grad_()]
        weights[0].grad, average = torch.randn(shape), [weights[0].detach().clone()]
        return update_of(weights, average)
    x = pictures(*shape).requires_grad_()
    if kind == "norm":
        scale, bias = (torch.randn(shape[1], requires_grad=True) for _ in range(2))
        return both_ways(lambda x, scale, bias: F.group_norm(x, case["groups"], scale, bias), [x, scale, bias])
    if kind == "silu":
        return both_ways(F.silu, [x])
    if kind == "norm and silu":
        scale, bias = (torch.randn(shape[1], requires_grad=True) for _ in range(2))
        return both_ways(lambda *of: F.silu(F.group_norm(of[0], case["groups"], *of[1:])), [x, scale, bias])
    if kind == "linear":
        weight, bias = torch.randn(case["features"], shape[-1]), torch.randn(case["features"])
        return both_ways(F.linear, [x, weight.requires_grad_(), bias.requires_grad_()])
    if kind == "attention":
        batch, tokens, width = shape
        k, v = (torch.randn(batch, case["keys"], width, requires_grad=True) for _ in range(2))
        split = lambda t: t.view(batch, t.shape[1], case["heads"], -1).transpose(1, 2)

        def attend(*of):
            return F.scaled_dot_product_attention(*map(split, of)).transpose(1, 2).reshape(shape)

        return both_ways(attend, [x, k, v])
    raise ValueError(f"unknown kind {kind}")


def update_of(weights, average):
    optimiser = torch.optim.AdamW(weights, lr=1e-4, weight_decay=0.01, fused=True)

    def update():
        nn.utils.clip_grad_norm_(weights, 1.0)
        optimiser.step()
        torch._foreach_lerp_(average, [weight.detach() for weight in weights], 0.001)

    return update


def open_network(case):
    """A step: forward, backward, clip, AdamW, average; `part` says how much of it."""
    network, is_half = case["network"], case["dtype"] == "bfloat16"
    P, batch = compact_networks.Weights(), compact_networks.make_batch(network, CONFIG, case["batch"])

    def loss():
        with torch.autocast("cpu", torch.bfloat16, enabled=is_half):
            return compact_networks.LOSSES[network](P, CONFIG, batch)

    with torch.no_grad():
        loss()
    weights = list(P.values.values())
    update = update_of(weights, [weight.detach().clone() for weight in weights])

    def step():
        for value in (*weights, *batch.values()):
            value.grad = None
        loss().backward()
        update()

    def forward():
        with torch.no_grad():
            loss()

    run = forward if case["part"] == "forward" else step
    return run, {name: list(value.shape) for name, value in P.values.items()}


cases = {}
for line in sys.stdin:
    request, answer = json.loads(line), {}
    if "open" in request:
        case = request["case"]
        if "network" in case:
            cases[request["open"]], answer["shapes"] = open_network(case)
        else:
            cases[request["open"]] = open_primitive(case)
    elif "run" in request:
        start = CLOCK()
        cases[request["run"]]()
        answer["ms"] = (CLOCK() - start) * 1000
    elif "close" in request:
        del cases[request["close"]]
    elif "memory" in request:
        answer["bytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps(answer), flush=True)
