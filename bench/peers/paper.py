"""diffusers' times for what bench/paper.ts times: one denoising step of a frame, encoding and decoding a picture.

    python bench/peers/paper.py PART RUNS [busy]

Prints one JSON line: {"seconds": median, "peakMemoryMb": n}. Float32, random weights, Stable Diffusion 1.5's sizes at
512 x 512, one token of cross-attention as in the paper's model. `busy` counts the processor time of one thread.
"""

import json
import os
import resource
import statistics
import sys
import time

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel

PART, RUNS = sys.argv[1], int(sys.argv[2])
IS_BUSY = sys.argv[3:] == ["busy"]
torch.set_num_threads(1 if IS_BUSY else os.cpu_count() or 1)
torch.set_grad_enabled(False)
torch.manual_seed(1)
clock = time.process_time if IS_BUSY else time.perf_counter

if PART == "unet":
    model = UNet2DConditionModel(
        sample_size=64, in_channels=4, out_channels=4, layers_per_block=2, block_out_channels=(320, 640, 1280, 1280),
        down_block_types=["CrossAttnDownBlock2D"] * 3 + ["DownBlock2D"], up_block_types=["UpBlock2D"] + ["CrossAttnUpBlock2D"] * 3,
        attention_head_dim=8, cross_attention_dim=768,
    ).eval()
    latent, context, t = torch.randn(1, 4, 64, 64), torch.randn(1, 1, 768), torch.tensor([500])
    run = lambda: model(latent, t, context)  # noqa: E731
else:
    model = AutoencoderKL(
        in_channels=3, out_channels=3, latent_channels=4, layers_per_block=2, block_out_channels=(128, 256, 512, 512),
        down_block_types=["DownEncoderBlock2D"] * 4, up_block_types=["UpDecoderBlock2D"] * 4, sample_size=512,
    ).eval()
    picture, latent = torch.randn(1, 3, 512, 512), torch.randn(1, 4, 64, 64)
    run = (lambda: model.encode(picture)) if PART == "vae-encoder" else (lambda: model.decode(latent))

run()
times = []
for _ in range(RUNS):
    start = clock()
    run()
    times.append(clock() - start)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
print(json.dumps({"seconds": statistics.median(times), "peakMemoryMb": round(peak)}))
