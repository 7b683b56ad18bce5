"""diffusers' times for what bench/paper.ts times: a denoising step, the reference pass, encoding and decoding a picture.

    python bench/peers/paper.py PART PRECISION RUNS SIZE WIDTH [busy]

PRECISION is float32 or bfloat16, SIZE the picture's side in pixels, WIDTH the U-Net's first (320 in Stable Diffusion
1.5; the others follow). Prints one JSON line: {"seconds": median, "peakMemoryMb": n}. Random weights, one token of
cross-attention as in the paper's model. The reference pass is a U-Net that keeps what its self-attentions see, as Moore's
and Champ's does, with the keys and values that the denoiser makes of it. `busy` counts the processor time of one thread.
"""

import json
import os
import resource
import statistics
import sys
import time

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel

PART, PRECISION, RUNS, SIZE, WIDTH = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:6])
IS_BUSY = sys.argv[6:] == ["busy"]
torch.set_num_threads(1 if IS_BUSY else os.cpu_count() or 1)
torch.set_grad_enabled(False)
torch.manual_seed(1)
torch.set_default_dtype(getattr(torch, PRECISION))
clock = time.process_time if IS_BUSY else time.perf_counter


def scaled(*widths):
    return tuple(max(32, 32 * int(w * WIDTH / 320 / 32 + 0.5)) for w in widths)


def unet():
    return UNet2DConditionModel(
        sample_size=SIZE // 8, in_channels=4, out_channels=4, layers_per_block=2,
        block_out_channels=scaled(320, 640, 1280, 1280),
        down_block_types=["CrossAttnDownBlock2D"] * 3 + ["DownBlock2D"],
        up_block_types=["UpBlock2D"] + ["CrossAttnUpBlock2D"] * 3,
        attention_head_dim=8, cross_attention_dim=768,
    ).eval()


latent, context = torch.randn(1, 4, SIZE // 8, SIZE // 8), torch.randn(1, 1, 768)
if PART == "unet":
    model = unet()
    run = lambda: model(latent, torch.tensor([500]), context)  # noqa: E731
elif PART == "reference":
    model = unet()
    tokens = {}

    def keep(name, attention):
        def hook(_, inputs, output):
            tokens[name] = attention.to_k(output), attention.to_v(output)

        return hook

    for name, module in model.named_modules():
        if hasattr(module, "norm1") and hasattr(module, "attn1"):
            module.norm1.register_forward_hook(keep(name, module.attn1))
    run = lambda: model(latent, torch.tensor([0]), context)  # noqa: E731
else:
    model = AutoencoderKL(
        in_channels=3, out_channels=3, latent_channels=4, layers_per_block=2,
        block_out_channels=scaled(128, 256, 512, 512),
        down_block_types=["DownEncoderBlock2D"] * 4, up_block_types=["UpDecoderBlock2D"] * 4, sample_size=SIZE,
    ).eval()
    picture = torch.randn(1, 3, SIZE, SIZE)
    run = (lambda: model.encode(picture)) if PART == "vae-encoder" else (lambda: model.decode(latent))

run()
times = []
for _ in range(RUNS):
    start = clock()
    run()
    times.append(clock() - start)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
print(json.dumps({"seconds": statistics.median(times), "peakMemoryMb": round(peak)}))
