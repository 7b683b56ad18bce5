"""PyTorch's times for what bench/training.ts times: primitives, and a step of the network of bench/training-network.ts.

    python bench/peers/training.py BATCH [busy]

Prints one JSON line: {"parameters": n, "ms": {title: milliseconds}}. Float32, two threads as ours, channels last
for pictures (PyTorch's fastest form on the CPU), fused AdamW. `busy` counts the processor time of one thread.
"""

import json
import os
import statistics
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

BATCH = int(sys.argv[1])
IS_BUSY = sys.argv[2:] == ["busy"]
torch.set_num_threads(1 if IS_BUSY else os.cpu_count() or 1)
clock = time.process_time if IS_BUSY else time.perf_counter
torch.manual_seed(1)


def median_ms(run, runs=15):
    for _ in range(3):
        run()
    times = []
    for _ in range(runs):
        start = clock()
        run()
        times.append(clock() - start)
    return statistics.median(times) * 1000


def pictures(*shape):
    return torch.randn(*shape).contiguous(memory_format=torch.channels_last)


def primitive_times():
    ms = {}
    for channels, size in [(64, 32), (128, 16), (256, 8), (32, 128)]:
        x, g = pictures(BATCH, channels, size, size), pictures(BATCH, channels, size, size)
        weight = pictures(channels, channels, 3, 3)

        def backward(mask):
            return torch.ops.aten.convolution_backward(
                g, x, weight, [channels], [1, 1], [1, 1], [1, 1], False, [0, 0], 1, mask
            )

        name = f"conv {channels} at {size}"
        ms[f"{name} forward"] = median_ms(lambda: F.conv2d(x, weight, padding=1))
        ms[f"{name} input gradient"] = median_ms(lambda: backward([True, False, False]))
        ms[f"{name} weight gradient"] = median_ms(lambda: backward([False, True, False]))

    x, g = pictures(BATCH, 128, 32, 32).requires_grad_(), pictures(BATCH, 128, 32, 32)
    scale, bias = torch.randn(128, requires_grad=True), torch.randn(128, requires_grad=True)

    def norm():
        return F.silu(F.group_norm(x, 32, scale, bias))

    def forward_only(run):
        with torch.no_grad():
            run()

    ms["norm and silu forward"] = median_ms(lambda: forward_only(norm))
    ms["norm and silu both ways"] = median_ms(lambda: torch.autograd.grad(norm(), [x, scale], g))

    q, k, v = (torch.randn(BATCH, 256, 128, requires_grad=True) for _ in range(3))
    g = torch.randn(BATCH, 256, 128)

    def attend():
        heads = [t.view(BATCH, 256, 2, 64).transpose(1, 2) for t in (q, k, v)]
        return F.scaled_dot_product_attention(*heads).transpose(1, 2).reshape(BATCH, 256, 128)

    ms["attention forward"] = median_ms(lambda: forward_only(attend))
    ms["attention both ways"] = median_ms(lambda: torch.autograd.grad(attend(), [q, k, v], g))
    return ms


class Block(nn.Module):
    def __init__(self, before, width):
        super().__init__()
        self.embedding = nn.Linear(256, width)
        self.norm1, self.conv1 = nn.GroupNorm(32, before), nn.Conv2d(before, width, 3, padding=1)
        self.norm2, self.conv2 = nn.GroupNorm(32, width), nn.Conv2d(width, width, 3, padding=1)
        self.skip = nn.Identity() if before == width else nn.Conv2d(before, width, 1)

    def forward(self, x, embedding):
        h = self.conv1(F.silu(self.norm1(x))) + self.embedding(F.silu(embedding))[:, :, None, None]
        return self.conv2(F.silu(self.norm2(h))) + self.skip(x)


class SelfAttention(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.norm = nn.LayerNorm(channels)
        self.query, self.key, self.value, self.out = (nn.Linear(channels, channels) for _ in range(4))

    def forward(self, x):
        b, c, h, w = x.shape
        tokens = x.flatten(2).transpose(1, 2)
        normal = self.norm(tokens)
        heads = [f(normal).view(b, h * w, c // 64, 64).transpose(1, 2) for f in (self.query, self.key, self.value)]
        mixed = F.scaled_dot_product_attention(*heads).transpose(1, 2).reshape(b, h * w, c)
        return (tokens + self.out(mixed)).transpose(1, 2).reshape(b, c, h, w)


class Network(nn.Module):
    def __init__(self, widths=(64, 128, 256)):
        super().__init__()
        self.inward, self.outward = nn.Conv2d(16, widths[0], 3, padding=1), nn.Conv2d(widths[0], 16, 3, padding=1)
        self.norm = nn.GroupNorm(32, widths[0])
        self.encoders = nn.ModuleList(Block(width, width) for width in widths)
        self.decoders = nn.ModuleList(Block(b, w) for b, w in [(128, 64), (256, 128), (512, 256)])
        self.downs = nn.ModuleList(nn.Conv2d(a, b, 3, stride=2, padding=1) for a, b in zip(widths, widths[1:]))
        self.ups = nn.ModuleList(nn.Conv2d(b, a, 3, padding=1) for a, b in zip(widths, widths[1:]))
        self.attentions = nn.ModuleList(SelfAttention(width) for width in widths[1:])

    def forward(self, x, embedding):
        skips, x = [], self.inward(x)
        for level, encoder in enumerate(self.encoders):
            if level > 0:
                x = self.downs[level - 1](x)
            x = encoder(x, embedding)
            if level > 0:
                x = self.attentions[level - 1](x)
            skips.append(x)
        for level in (2, 1, 0):
            x = self.decoders[level](torch.cat([x, skips[level]], 1), embedding)
            if level > 0:
                x = self.ups[level - 1](F.interpolate(x, scale_factor=2.0, mode="nearest"))
        return self.outward(F.silu(self.norm(x)))


def network_times():
    network = Network().to(memory_format=torch.channels_last)
    latents, target, embedding = pictures(BATCH, 16, 32, 32), pictures(BATCH, 16, 32, 32), torch.randn(BATCH, 256)
    weights = list(network.parameters())
    average = [weight.detach().clone() for weight in weights]
    optimiser = torch.optim.AdamW(weights, lr=1e-4, weight_decay=0.01, fused=True)

    def loss():
        return F.mse_loss(network(latents, embedding), target)

    def forward():
        with torch.no_grad():
            loss()

    def backward():
        optimiser.zero_grad(set_to_none=True)
        loss().backward()

    def step():
        backward()
        nn.utils.clip_grad_norm_(weights, 1.0)
        optimiser.step()
        torch._foreach_lerp_(average, weights, 0.001)

    ms = {
        "network forward": median_ms(forward, 9),
        "network gradients": median_ms(backward, 9),
        "network step": median_ms(step, 9),
    }
    return sum(weight.numel() for weight in weights), ms


parameters, network_ms = network_times()
print(json.dumps({"parameters": parameters, "ms": {**primitive_times(), **network_ms}}))
