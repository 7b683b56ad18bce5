"""Goldens of a whole training step: the method stated plainly in PyTorch, float64, with autograd throughout.

    python bench/peers/training_step.py [test/training/goldens]

A square of Gaussians is splatted for each picture; a guidance network brings the map to the latent's size; a
reference network passes the clean reference once at t = 0, and its states join the denoiser's self-attention
under the denoiser's own weights; a label vector is all of the cross-attention; the loss is that of v under a
schedule with zero terminal SNR. Stage 1: single pictures, everything learns. Stage 2: a clip, the temporal
layers alone. Written are the loss, the gradient of every parameter (the field's raw ones included), and what
three steps of AdamW (Adam for the field) leave. Weights and inputs are those of seeded_weights.py;
test/training/step-goldens.ts states the same case.
"""

import math
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch.nn import functional as F

import seeded_weights

SIZE, FACTOR, LATENT, FIELD = 32, 4, 4, 4  # pixels, pixels a latent pixel, channels of latents and of the field
WIDTHS, HEADS, GROUPS, LABEL, MULTIPLIER = (4, 6), (2, 2), 2, 6, 2
GUIDANCE, GUIDANCE_HEADS = (4, 4, 6), 2
STEPS, BETA_START, BETA_END, GAMMA = 1000, 0.00085, 0.012, 5.0
LEARNING_RATE, FIELD_RATE, DECAY, CLIP = 2e-3, 1e-2, 1e-2, 1.0
UV_SIZE, UV_SIDE = 128, (0.07, 0.11)  # the square's share of the UV square
FOCAL, DEPTH = 40.0, -4.0

STAGES = {
    "1": {"clips": 4, "frames": 1, "timesteps": [999, 620, 250, 40], "labels": [0, 1, 0, 1],
          "reference_labels": [0, 1, 0, 1], "keeps": [1, 1, 0, 1]},
    "2": {"clips": 1, "frames": 3, "timesteps": [700] * 3, "labels": [0] * 3, "reference_labels": [0],
          "keeps": [1] * 3},
}


class Weights:
    """Parameters by name, made at first use."""

    def __init__(self):
        self.values = {}

    def __call__(self, name, *shape):
        if name not in self.values:
            self.values[name] = seeded_weights.weight(name, shape).double().requires_grad_()
        return self.values[name]


P = Weights()


def conv(name, x, channels, kernel=3, stride=1):
    weight = P(f"{name}.weight", channels, x.shape[1], kernel, kernel)
    return F.conv2d(x, weight, P(f"{name}.bias", channels), stride=stride, padding=kernel // 2)


def linear(name, x, features, bias=True):
    return F.linear(x, P(f"{name}.weight", features, x.shape[-1]), P(f"{name}.bias", features) if bias else None)


def group_norm(name, x, eps=1e-5):
    return F.group_norm(x, GROUPS, P(f"{name}.weight", x.shape[1]), P(f"{name}.bias", x.shape[1]), eps)


def layer_norm(name, x):
    width = x.shape[-1]
    return F.layer_norm(x, (width,), P(f"{name}.weight", width), P(f"{name}.bias", width))


def attention(name, x, keys, heads):
    """Multi-head attention of tokens to the hidden states `keys`."""
    query, key, value = (linear(f"{name}.to_{k}", h, x.shape[-1], False) for k, h in zip("qkv", (x, keys, keys)))
    split = lambda h: h.view(h.shape[0], h.shape[1], heads, -1).transpose(1, 2)
    mixed = F.scaled_dot_product_attention(split(query), split(key), split(value))
    return linear(f"{name}.to_out.0", mixed.transpose(1, 2).reshape(x.shape), x.shape[-1])


def feed_forward(name, x, multiplier):
    value, gate = linear(f"{name}.net.0.proj", x, 2 * multiplier * x.shape[-1]).chunk(2, -1)
    return linear(f"{name}.net.2", value * F.gelu(gate), x.shape[-1])


def sinusoids(positions, width):
    frequencies = torch.exp(-math.log(10000) * torch.arange(width // 2).double() / (width // 2))
    angles = positions.double()[:, None] * frequencies
    return torch.cat([angles.cos(), angles.sin()], -1)


def resnet(name, x, channels, time):
    h = conv(f"{name}.conv1", F.silu(group_norm(f"{name}.norm1", x)), channels)
    h = h + linear(f"{name}.time_emb_proj", F.silu(time), channels)[:, :, None, None]
    h = conv(f"{name}.conv2", F.silu(group_norm(f"{name}.norm2", h)), channels)
    return h + (x if x.shape[1] == channels else conv(f"{name}.conv_shortcut", x, channels, 1))


def transformer(root, path, x, heads, label, join):
    """`join` gives the hidden states that self-attention attends to, from the block's path and its own."""
    name, width = f"{root}.{path}", x.shape[1]
    tokens = group_norm(f"{name}.norm", x, 1e-6).flatten(2).transpose(1, 2)
    h = linear(f"{name}.proj_in", tokens, width)
    block = f"{name}.transformer_blocks.0"
    hidden = layer_norm(f"{block}.norm1", h)
    h = h + attention(f"{block}.attn1", hidden, join(f"{path}.transformer_blocks.0", hidden), heads)
    # One key: whatever the query, the softmax over it is 1.
    h = h + linear(f"{block}.attn2.to_out.0", linear(f"{block}.attn2.to_v", label, width, False), width)
    h = h + feed_forward(f"{block}.ff", layer_norm(f"{block}.norm3", h), MULTIPLIER)
    return x + linear(f"{name}.proj_out", h, width).transpose(1, 2).reshape(x.shape)


def temporal(name, x, frames, heads=2):
    """AnimateDiff's layer: each pixel attends to itself in the other frames."""
    pictures, width, height, _ = x.shape
    normed = group_norm(f"{name}.norm", x, 1e-6).reshape(pictures // frames, frames, width, -1)
    h = linear(f"{name}.proj_in", normed.permute(0, 3, 1, 2).reshape(-1, frames, width), width)
    block, positions = f"{name}.transformer_blocks.0", sinusoids(torch.arange(frames), width)
    for i in (1, 2):
        hidden = layer_norm(f"{block}.norm{i}", h) + positions
        h = h + attention(f"{block}.attn{i}", hidden, hidden, heads)
    h = h + feed_forward(f"{block}.ff", layer_norm(f"{block}.norm3", h), 4)
    out = linear(f"{name}.proj_out", h, width).reshape(pictures // frames, -1, frames, width)
    return x + out.permute(0, 2, 3, 1).reshape(x.shape)


def unet(root, x, timesteps, label, join, guidance=None, frames=None):
    table = sinusoids(timesteps, WIDTHS[0])
    time = linear(f"{root}.time_embedding.linear_1", table, 4 * WIDTHS[0])
    time = linear(f"{root}.time_embedding.linear_2", F.silu(time), 4 * WIDTHS[0])

    def layer(block, i, h, width, heads):
        h = resnet(f"{root}.{block}.resnets.{i}", h, width, time)
        h = transformer(root, f"{block}.attentions.{i}", h, heads, label, join)
        return h if frames is None else temporal(f"{root}.{block}.motion_modules.{i}", h, frames)

    h = conv(f"{root}.conv_in", x, WIDTHS[0])
    h = h if guidance is None else h + guidance
    skips = [h]
    for level, (width, heads) in enumerate(zip(WIDTHS, HEADS)):
        h = layer(f"down_blocks.{level}", 0, h, width, heads)
        skips.append(h)
        if level + 1 < len(WIDTHS):
            h = conv(f"{root}.down_blocks.{level}.downsamplers.0.conv", h, width, stride=2)
            skips.append(h)
    h = layer("mid_block", 0, h, WIDTHS[-1], HEADS[-1])
    h = resnet(f"{root}.mid_block.resnets.1", h, WIDTHS[-1], time)
    for level in reversed(range(len(WIDTHS))):
        block = f"up_blocks.{len(WIDTHS) - 1 - level}"
        for i in range(2):
            h = layer(block, i, torch.cat([h, skips.pop()], 1), WIDTHS[level], HEADS[level])
        if level > 0:
            h = conv(f"{root}.{block}.upsamplers.0.conv", F.interpolate(h, scale_factor=2.0), WIDTHS[level])
    return conv(f"{root}.conv_out", F.silu(group_norm(f"{root}.conv_norm_out", h)), LATENT)


def guidance_network(x):
    name = "guidance.gaussian"
    h = F.silu(conv(f"{name}.conv_in", x, GUIDANCE[0]))
    for i, width in enumerate(GUIDANCE):
        h = F.silu(conv(f"{name}.blocks.{2 * i}", h, width))
        if i + 1 < len(GUIDANCE):
            h = F.silu(conv(f"{name}.blocks.{2 * i + 1}", h, GUIDANCE[i + 1], stride=2))
    tokens = group_norm(f"{name}.attention.group_norm", h).flatten(2).transpose(1, 2)
    mixed = attention(f"{name}.attention", tokens, tokens, GUIDANCE_HEADS)
    return conv(f"{name}.conv_out", h + mixed.transpose(1, 2).reshape(h.shape), WIDTHS[0])


def velocity(case, batch):
    labels = P("label_embedding.weight", 2, LABEL)
    states = {}

    def remember(path, hidden):
        states[path] = hidden
        return hidden

    clips, frames = case["clips"], case["frames"]
    token = labels[torch.tensor(case["reference_labels"])][:, None]
    unet("reference_unet", batch["reference"], torch.zeros(clips).long(), token, remember)
    keeps = torch.tensor(case["keeps"]).bool()

    def join(path, hidden):
        reference = states[path].repeat_interleave(frames, 0)
        both = torch.cat([hidden, reference], 1)
        # Without the reference a picture attends to itself: each token twice weighs as each once.
        return torch.where(keeps[:, None, None], both, torch.cat([hidden, hidden], 1))

    token = labels[torch.tensor(case["labels"])][:, None]
    control = guidance_network(control_map(case["clips"] * frames))
    time = torch.tensor(case["timesteps"])
    return unet("unet", batch["noisy"], time, token, join, control, frames if frames > 1 else None)


def square_texels():
    """Barycentric weights (N 3) and corners (N 3) of the texels whose centres lie in the square's triangles."""
    u, v = UV_SIDE
    uvs = torch.tensor([[0, 0], [0, v], [u, v], [u, 0]]).float().double() * UV_SIZE - 0.5
    weights, corners = [], []
    for y in range(UV_SIZE):
        for x in range(UV_SIZE):
            for triangle in ((0, 1, 3), (1, 2, 3)):
                a, b, c = uvs[list(triangle)]
                cross = lambda p, q, r: (q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0])
                if x > UV_SIZE * u or y > UV_SIZE * v:
                    continue
                here = torch.tensor([x, y]).double()
                share = torch.stack([cross(b, c, here), cross(c, a, here), cross(a, b, here)]) / cross(a, b, c)
                if (share >= 0).all():
                    weights.append(share)
                    corners.append(triangle)
                    break
    return torch.stack(weights), torch.tensor(corners)


BARYCENTRICS, CORNERS = square_texels()
TEMPLATE = torch.tensor([[-1, 1, 0], [-1, -1, 0], [1, -1, 0], [1, 1, 0]]).double()


def field():
    count = len(CORNERS)

    def raw(name, mean, deviation, *shape):
        key = f"gaussians.{name}"
        if key not in P.values:
            values = mean + deviation * seeded_weights.tensor(key, shape)
            P.values[key] = values.double().requires_grad_()
        return P.values[key]

    return raw("features", 0, 0.5, count, FIELD), raw("opacity", -0.5, 0.5, count), raw("scale", -2.3, 0.3, count)


def control_map(pictures):
    """The field splatted for each picture: EWA projection, 0.3 px low-pass, front to back, gsplat's cuts."""
    features, opacity, scale = field()
    features, opacity, scale = torch.tanh(features), torch.sigmoid(opacity), torch.exp(scale)
    y, x = torch.meshgrid(torch.arange(SIZE) + 0.5, torch.arange(SIZE) + 0.5, indexing="ij")
    maps = []
    for i in range(pictures):
        rx, ry, rz = 0.19, 0.25 * i - 0.3, 0.07  # turned about all axes, so that no two depths are equal
        rotation = torch.linalg.matrix_exp(torch.tensor([[0, -rz, ry], [rz, 0, -rx], [-ry, rx, 0]]).double())
        vertices = TEMPLATE @ rotation.T + torch.tensor([0.1 * i - 0.15, 0.05 * i, DEPTH]).double()
        means = (BARYCENTRICS[:, :, None] * vertices[CORNERS]).sum(1)
        px, py, pz = means[:, 0], -means[:, 1], -means[:, 2]  # y down, z forward
        jacobian = torch.stack(
            [FOCAL / pz, torch.zeros_like(pz), -FOCAL * px / pz**2,
             torch.zeros_like(pz), FOCAL / pz, -FOCAL * py / pz**2], -1
        ).view(-1, 2, 3)
        covariance = scale[:, None, None] ** 2 * (jacobian @ jacobian.transpose(1, 2)) + 0.3 * torch.eye(2)
        conic = torch.linalg.inv(covariance)
        centre = torch.stack([FOCAL * px / pz, FOCAL * py / pz], -1) + SIZE / 2
        light = torch.ones(SIZE, SIZE).double()
        is_finished = torch.zeros(SIZE, SIZE).bool()
        image = torch.zeros(FIELD, SIZE, SIZE).double()
        for g in torch.argsort(pz.float(), stable=True).tolist():
            dx, dy = centre[g, 0] - x, centre[g, 1] - y
            k = conic[g]
            sigma = 0.5 * (k[0, 0] * dx**2 + k[1, 1] * dy**2) + k[0, 1] * dx * dy
            alpha = (opacity[g] * torch.exp(-sigma)).clamp(max=0.99)
            covers = (alpha >= 1 / 255) & ~is_finished
            closes = covers & (light * (1 - alpha) <= 1e-4)
            is_finished = is_finished | closes
            takes = covers & ~closes
            image = image + torch.where(takes, light * alpha, 0.0) * features[g][:, None, None]
            light = torch.where(takes, light * (1 - alpha), light)
        maps.append(image)
    return torch.stack(maps)


def schedule():
    betas = torch.linspace(BETA_START**0.5, BETA_END**0.5, STEPS, dtype=torch.float64) ** 2
    signal = (1 - betas).cumprod(0).sqrt()
    signal = (signal - signal[-1]) * signal[0] / (signal[0] - signal[-1])  # zero terminal SNR
    return signal**2


def make_batch(name, case):
    pictures, side = case["clips"] * case["frames"], SIZE // FACTOR
    latents = lambda key, count: seeded_weights.tensor(f"{name}.{key}", (count, LATENT, side, side)).double()
    clean, noise = latents("clean", pictures), latents("noise", pictures)
    alpha = schedule()[torch.tensor(case["timesteps"])][:, None, None, None]
    snr = alpha / (1 - alpha)
    return {
        "noisy": alpha.sqrt() * clean + (1 - alpha).sqrt() * noise,
        "velocity": alpha.sqrt() * noise - (1 - alpha).sqrt() * clean,
        "weight": (snr.clamp(max=GAMMA) + 1) / (snr + 1),
        "reference": latents("reference", case["clips"]),
    }


def golden(name, case):
    P.values.clear()
    batch = make_batch(name, case)
    loss_now = lambda: (batch["weight"] * (velocity(case, batch) - batch["velocity"]) ** 2).mean()
    loss = loss_now()
    is_field = lambda key: key.startswith("gaussians.")
    learns = {key: v for key, v in P.values.items() if name == "1" or ".motion_modules." in key}
    network = {key: value for key, value in learns.items() if not is_field(key)}
    decays = [value for value in network.values() if value.ndim > 1]
    others = [value for value in network.values() if value.ndim == 1]
    optimiser = torch.optim.AdamW(
        [{"params": decays, "weight_decay": DECAY}, {"params": others, "weight_decay": 0.0}], lr=LEARNING_RATE
    )
    fields = [value for key, value in learns.items() if is_field(key)]
    field_optimiser = torch.optim.Adam(fields, lr=FIELD_RATE) if fields else None
    before = {key: value.detach().clone() for key, value in learns.items()}
    tensors = {"loss": loss.detach().float().reshape(1)}
    losses = []
    for step in range(3):
        optimiser.zero_grad()
        for value in fields:
            value.grad = None
        loss = loss_now()
        loss.backward()
        losses.append(loss.item())
        if step == 0:
            for key, value in learns.items():
                grad = torch.zeros_like(value) if value.grad is None else value.grad
                tensors[f"gradient.{key}"] = grad.float().clone()
        for value in network.values():
            value.grad = torch.zeros_like(value) if value.grad is None else value.grad
        torch.nn.utils.clip_grad_norm_(network.values(), CLIP)
        optimiser.step()
        if field_optimiser:
            field_optimiser.step()
    # The change tells more than the weight does; in learning rates its values are near one, and halves hold them.
    for key, value in learns.items():
        rate = FIELD_RATE if is_field(key) else LEARNING_RATE
        tensors[f"change.{key}"] = ((value.detach() - before[key]) / rate).half()
    return tensors, losses


if __name__ == "__main__":
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "test/training/goldens")
    folder.mkdir(parents=True, exist_ok=True)
    for name, case in STAGES.items():
        tensors, losses = golden(name, case)
        path = folder / f"stage-{name}.safetensors"
        save_file({key: value.contiguous() for key, value in tensors.items()}, path)
        path.chmod(0o644)
        count = sum(value.numel() for key, value in tensors.items() if key.startswith("gradient."))
        print(f"stage {name}: {count} numbers learn, losses {losses}")
