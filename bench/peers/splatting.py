"""Goldens of the splatting: gsplat's own projection on the CPU, and the compositing stated plainly in PyTorch.

    python bench/peers/splatting.py [test/gaussians/goldens]

Writes one safetensors file a case: the scene (float32), the images, and what autograd gives for the loss
sum(w features) + sum(w' alpha), with w[i] = sin(1 + 0.37 i) over the flat C H W and w'[i] = cos(0.5 + 0.41 i).
All is computed in float64. gsplat's rasteriser itself needs a GPU; the compositing here states its rules: pixel
centres at +0.5, alpha capped, cut at 1/255, pixels that end before transmittance 1e-4. The cap is 0.99, where
gsplat 1.5.3 has 0.999. A case with a pixel near a cut is refused, for float32 might decide otherwise there.
"""

import json
import sys
from pathlib import Path

import torch
from gsplat.cuda._torch_impl import _fully_fused_projection, _quat_to_rotmat
from safetensors.torch import save_file

ALPHA_MAX, ALPHA_MIN, TRANSMITTANCE_MIN = 0.99, 1 / 255, 1e-4
MARGIN = 1e-6  # relative, around each cut

CASES = [
    {"name": "balls-3", "seed": 1, "channels": 3, "ellipsoids": False},
    {"name": "balls-8", "seed": 2, "channels": 8, "ellipsoids": False},
    {"name": "ellipsoids-1", "seed": 3, "channels": 1, "ellipsoids": True},
    {"name": "ellipsoids-8", "seed": 4, "channels": 8, "ellipsoids": True},
    {"name": "ellipsoids-12", "seed": 5, "channels": 12, "ellipsoids": True},
    {"name": "ellipsoids-32", "seed": 6, "channels": 32, "ellipsoids": True},
    # Opaque, in two layers of equal depths, some behind the camera, some beyond the field of view.
    {"name": "hard-8", "seed": 7, "channels": 8, "ellipsoids": True, "hard": True},
]


def make_scene(case, width=20, height=14, count=40):
    random = torch.Generator().manual_seed(case["seed"])
    uniform = lambda low, high, *shape: low + (high - low) * torch.rand(*shape, generator=random)
    hard = case.get("hard", False)
    axis = torch.tensor([0.0, 0.0, 0.0] if hard else [0.2, -0.3, 0.1])  # unturned, equal depths stay equal
    rotation = torch.linalg.matrix_exp(
        torch.tensor([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]]).double()
    )
    translation = torch.tensor([0.02, -0.01, 0.03]).double()
    focal = torch.tensor([25.0, 23.0])
    centre = torch.tensor([width * 0.53, height * 0.48])
    z = uniform(0.5, 0.9, count)
    if hard:
        z = torch.where(torch.arange(count) % 2 == 0, 0.6, 0.8)
        z[:6] = torch.tensor([-0.5, -0.02, 0.005, 0.6, 0.8, 0.6])
    reach = 1.6 if hard else 1.1
    x = (uniform(-reach, reach, count) * 0.5 + 0.5) * width - centre[0]
    y = (uniform(-reach, reach, count) * 0.5 + 0.5) * height - centre[1]
    in_camera = torch.stack([x / focal[0] * z, y / focal[1] * z, z], -1).double()
    scene = {"means": ((in_camera - translation) @ rotation).float()}
    if case["ellipsoids"]:
        scene["scales"] = uniform(0.03, 0.25, count, 3) if hard else uniform(0.01, 0.09, count, 3)
        scene["rotations"] = torch.randn(count, 4, generator=random)
    else:
        scene["scales"] = uniform(0.015, 0.06, count)
    scene["opacities"] = uniform(0.9, 1.0, count) if hard else uniform(0.05, 0.95, count)
    scene["features"] = uniform(-1, 1, count, case["channels"])
    camera = {"rotation": rotation, "translation": translation, "focal": focal, "centre": centre}
    return scene, {**camera, "width": width, "height": height}


def splat(scene, camera):
    """Features (C H W) and alpha (H W)."""
    width, height = camera["width"], camera["height"]
    scales = scene["scales"]
    if "rotations" in scene:
        shape = _quat_to_rotmat(scene["rotations"]) * scales[:, None, :]
        covariances = shape @ shape.transpose(1, 2)
    else:
        covariances = scales[:, None, None] ** 2 * torch.eye(3, dtype=scales.dtype)
    view = torch.eye(4, dtype=scales.dtype)
    view[:3, :3], view[:3, 3] = camera["rotation"], camera["translation"]
    k = torch.eye(3, dtype=scales.dtype)
    k[0, 0], k[1, 1] = camera["focal"]
    k[0, 2], k[1, 2] = camera["centre"]
    radii, means2d, depths, conics, _ = _fully_fused_projection(
        scene["means"], covariances, view[None], k[None], width, height
    )
    means2d, depths, conics = means2d[0], depths[0], conics[0]
    visible = (radii[0] > 0).all(-1)
    order = torch.argsort(depths.float(), stable=True)

    y, x = torch.meshgrid(torch.arange(height) + 0.5, torch.arange(width) + 0.5, indexing="ij")
    pixels = torch.stack([x.reshape(-1), y.reshape(-1)], -1).to(scales.dtype)
    light = torch.ones(len(pixels), dtype=scales.dtype)
    is_finished = torch.zeros(len(pixels), dtype=torch.bool)
    image = torch.zeros(len(pixels), scene["features"].shape[1], dtype=scales.dtype)
    for i in order[visible[order]].tolist():
        d = means2d[i] - pixels
        a, b, c = conics[i]
        sigma = 0.5 * (a * d[:, 0] ** 2 + c * d[:, 1] ** 2) + b * d[:, 0] * d[:, 1]
        peak = scene["opacities"][i] * torch.exp(-sigma)
        alpha = peak.clamp(max=ALPHA_MAX)
        after = light * (1 - alpha)
        covers = (alpha >= ALPHA_MIN) & ~is_finished
        closes = covers & (after <= TRANSMITTANCE_MIN)
        refuse_near(peak[~is_finished], ALPHA_MIN)
        refuse_near(peak[~is_finished], ALPHA_MAX)
        refuse_near(after[covers], TRANSMITTANCE_MIN)
        is_finished = is_finished | closes
        takes = covers & ~closes
        image = image + torch.where(takes, alpha * light, 0.0)[:, None] * scene["features"][i]
        light = torch.where(takes, after, light)
    return image.T.reshape(-1, height, width), (1 - light).reshape(height, width), is_finished


def refuse_near(values, cut):
    if ((values / cut - 1).abs() < MARGIN).any():
        raise SystemExit(f"a value lies within {MARGIN} of the cut at {cut}: take another seed")


def golden(case):
    scene, camera = make_scene(case)
    exact = {name: value.double().requires_grad_() for name, value in scene.items()}
    features, alpha, is_finished = splat(exact, camera)
    weight = torch.sin(1 + 0.37 * torch.arange(features.numel(), dtype=torch.float64))
    alpha_weight = torch.cos(0.5 + 0.41 * torch.arange(alpha.numel(), dtype=torch.float64))
    loss = (weight * features.reshape(-1)).sum() + (alpha_weight * alpha.reshape(-1)).sum()
    loss.backward()
    tensors = {f"scene.{name}": value for name, value in scene.items()}
    tensors |= {f"gradient.{name}": value.grad.float() for name, value in exact.items()}
    tensors |= {"image.features": features.detach().float(), "image.alpha": alpha.detach().float()}
    numbers = {name: value.reshape(-1).tolist() for name, value in camera.items() if torch.is_tensor(value)}
    metadata = {
        "camera": json.dumps({**numbers, "width": camera["width"], "height": camera["height"]}),
        "finishedPixels": str(int(is_finished.sum())),
    }
    return {name: value.contiguous() for name, value in tensors.items()}, metadata


if __name__ == "__main__":
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "test/gaussians/goldens")
    folder.mkdir(parents=True, exist_ok=True)
    for case in CASES:
        tensors, metadata = golden(case)
        path = folder / f"{case['name']}.safetensors"
        save_file(tensors, path, metadata)
        path.chmod(0o644)
        print(case["name"], metadata["finishedPixels"], "pixels finished early")
