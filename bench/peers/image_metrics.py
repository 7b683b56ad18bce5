"""Writes test/evaluation/goldens/image-metrics.safetensors and models/perception/lpips-vgg.safetensors.

    pip install --no-deps -r bench/peers/image_metrics.requirements.txt
    python bench/peers/image_metrics.py

Goldens: pairs of pictures with what scikit-image and the lpips package make of them. A pair is a picture and what
became of it; a region is an ellipse. VGG16's weights are those of seeded_weights.py, so that no file need carry them;
LPIPS' linear weights are the package's own (BSD-2-Clause), which the second file holds.
"""

import json
import sys
import types
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from scipy.ndimage import gaussian_filter
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from seeded_weights import uniform, weight



def vgg16(pretrained=False):
    """The network's shape as torchvision has it, whose wheel for CUDA does not load beside a CPU's torch."""
    layers, channels = [], 3
    for width in [64, 64, "M", 128, 128, "M", 256, 256, 256, "M", 512, 512, 512, "M", 512, 512, 512, "M"]:
        if width == "M":
            layers.append(torch.nn.MaxPool2d(2, 2))
            continue
        layers += [torch.nn.Conv2d(channels, width, 3, padding=1), torch.nn.ReLU()]
        channels = width
    return types.SimpleNamespace(features=torch.nn.Sequential(*layers))


sys.modules["torchvision"] = types.SimpleNamespace(models=types.SimpleNamespace(vgg16=vgg16))
import lpips  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
BORDER = 3  # windows of 7 x 7 that reach over the border have no value

CASES = [
    {"name": "noise", "width": 48, "height": 40, "change": lambda p: p + 25 * noise("grain", p.shape)},
    {"name": "blur", "width": 64, "height": 48, "change": lambda p: gaussian_filter(p, (1.5, 1.5, 0))},
    {"name": "shift", "width": 50, "height": 37, "change": lambda p: np.roll(p, (1, 2), axis=(0, 1))},
    {"name": "darker", "width": 32, "height": 32, "change": lambda p: 0.7 * p},
]


def noise(name, shape):
    return uniform(name, int(np.prod(shape))).reshape(shape)


def picture(case):
    shape = (case["height"], case["width"], 3)
    return 128 + 90 * gaussian_filter(noise(case["name"], shape), (2, 2, 0)) * 4


def as_bytes(values):
    return np.clip(np.round(values), 0, 255).astype(np.uint8)


def ellipse(height, width):
    y, x = np.mgrid[:height, :width]
    return ((x + 0.5 - 0.55 * width) / (0.35 * width)) ** 2 + ((y + 0.5 - 0.5 * height) / (0.4 * height)) ** 2 < 1


def lpips_with_seeded_trunk():
    model = lpips.LPIPS(net="vgg", pnet_rand=True, verbose=False).eval()
    for name, parameter in model.net.named_parameters():
        index, kind = name.split(".")[1:]
        parameter.data = weight(f"features.{index}.{kind}", tuple(parameter.shape))
    return model


def as_planes(image):
    return torch.from_numpy(image.astype(np.float32) / 127.5 - 1).permute(2, 0, 1)[None]


torch.set_num_threads(1)
torch.set_grad_enabled(False)
model = lpips_with_seeded_trunk()
tensors, values = {}, {}
for case in CASES:
    truth = picture(case)
    truth, changed = as_bytes(truth), as_bytes(case["change"](truth))
    region = ellipse(case["height"], case["width"])
    ssim, ssim_map = structural_similarity(truth, changed, channel_axis=2, data_range=255, full=True)
    inner = np.zeros_like(region)
    inner[BORDER:-BORDER, BORDER:-BORDER] = True
    tensors |= {f"{case['name']}/truth": torch.from_numpy(truth), f"{case['name']}/image": torch.from_numpy(changed)}
    tensors[f"{case['name']}/region"] = torch.from_numpy(region.astype(np.uint8))
    values[case["name"]] = {
        "psnr": peak_signal_noise_ratio(truth, changed, data_range=255),
        "ssim": ssim,
        "l1": float(np.abs(truth.astype(float) - changed).mean() / 255),
        "regionPsnr": peak_signal_noise_ratio(truth[region], changed[region], data_range=255),
        "regionSsim": float(ssim_map[region & inner].mean()),
        "lpips": model(as_planes(truth), as_planes(changed)).item(),
    }
metadata = {"values": json.dumps(values), "source": "scikit-image 0.26.0, lpips 0.1.4"}
save_file(tensors, ROOT / "test/evaluation/goldens/image-metrics.safetensors", metadata)

linear = {f"lin{i}": layer.model[-1].weight.detach().flatten().contiguous() for i, layer in enumerate(model.lins)}
about = {"source": "lpips 0.1.4 (PyPI), weights/v0.1/vgg.pth", "licence": "BSD-2-Clause"}
save_file(linear, ROOT / "models/perception/lpips-vgg.safetensors", about)
print(json.dumps(values, indent=1))
