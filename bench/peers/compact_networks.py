"""The compact denoiser (first stage) and autoencoder in plain PyTorch, by a configuration such as configs/compact.json.

Parameters carry the names of ours, so that what is timed can be held to be the same network: bench/training.ts compares
names and shapes. Pictures are channels last, PyTorch's fastest form on the CPU.
"""

import math

import torch
from torch.nn import functional as F


class Weights:
    """Parameters by name, made at first use; a scope is a prefix."""

    def __init__(self):
        self.values = {}

    def __call__(self, name, *shape):
        if name not in self.values:
            value = torch.randn(shape) / math.sqrt(math.prod(shape[1:]) or 1)
            if len(shape) == 4:
                value = value.contiguous(memory_format=torch.channels_last)
            self.values[name] = value.requires_grad_()
        return self.values[name]


def conv(P, name, x, channels, kernel=3, stride=1):
    weight = P(f"{name}.weight", channels, x.shape[1], kernel, kernel)
    return F.conv2d(x, weight, P(f"{name}.bias", channels), stride=stride, padding=kernel // 2)


def linear(P, name, x, features, bias=True):
    weight = P(f"{name}.weight", features, x.shape[-1])
    return F.linear(x, weight, P(f"{name}.bias", features) if bias else None)


def group_norm(P, name, x, groups, eps=1e-5):
    return F.group_norm(x, groups, P(f"{name}.weight", x.shape[1]), P(f"{name}.bias", x.shape[1]), eps)


def layer_norm(P, name, x):
    width = x.shape[-1]
    return F.layer_norm(x, (width,), P(f"{name}.weight", width), P(f"{name}.bias", width))


def resnet(P, name, x, channels, groups=None, time=None):
    """Without groups: no norms, and leaky ReLU for SiLU."""

    def activate(key, h):
        return F.leaky_relu(h, 0.1) if groups is None else F.silu(group_norm(P, f"{name}.{key}", h, groups))

    h = conv(P, f"{name}.conv1", activate("norm1", x), channels)
    if time is not None:
        h = h + linear(P, f"{name}.time_emb_proj", F.silu(time), channels)[:, :, None, None]
    h = conv(P, f"{name}.conv2", activate("norm2", h), channels)
    return h + (x if x.shape[1] == channels else conv(P, f"{name}.conv_shortcut", x, channels, 1))


def attend(P, name, hidden, key, value, heads):
    split = lambda t: t.view(t.shape[0], t.shape[1], heads, -1).transpose(1, 2)
    query = linear(P, f"{name}.to_q", hidden, hidden.shape[-1], False)
    mixed = F.scaled_dot_product_attention(split(query), split(key), split(value))
    return linear(P, f"{name}.to_out.0", mixed.transpose(1, 2).reshape(hidden.shape), hidden.shape[-1])


def key_value(P, name, hidden):
    return tuple(linear(P, f"{name}.to_{k}", hidden, hidden.shape[-1], False) for k in "kv")


def transformer(P, root, path, x, heads, groups, multiplier, label, join):
    name, width = f"{root}.{path}", x.shape[1]
    tokens = group_norm(P, f"{name}.norm", x, groups, 1e-6).flatten(2).transpose(1, 2)
    h = linear(P, f"{name}.proj_in", tokens, width)
    block = f"{name}.transformer_blocks.0"
    hidden = layer_norm(P, f"{block}.norm1", h)
    key, value = join(path, hidden, key_value(P, f"{block}.attn1", hidden))
    h = h + attend(P, f"{block}.attn1", hidden, key, value, heads)
    h = h + linear(P, f"{block}.attn2.to_out.0", linear(P, f"{block}.attn2.to_v", label, width, False), width)
    normed = layer_norm(P, f"{block}.norm3", h)
    inner, gate = linear(P, f"{block}.ff.net.0.proj", normed, 2 * multiplier * width).chunk(2, -1)
    h = h + linear(P, f"{block}.ff.net.2", inner * F.gelu(gate), width)
    return x + linear(P, f"{name}.proj_out", h, width).transpose(1, 2).reshape(x.shape)


def sinusoids(positions, width):
    frequencies = torch.exp(-math.log(10000) * torch.arange(width // 2) / (width // 2))
    angles = positions.float()[:, None] * frequencies
    return torch.cat([angles.cos(), angles.sin()], -1)


def unet(P, config, x, timesteps, label, join, guidance=None):
    sizes = config["model"]["unet"]
    widths, heads, blocks, groups = (sizes[key] for key in ("widths", "heads", "blocks", "groups"))
    time = linear(P, "unet.time_embedding.linear_1", sinusoids(timesteps, widths[0]).to(x.dtype), 4 * widths[0])
    time = linear(P, "unet.time_embedding.linear_2", F.silu(time), 4 * widths[0])

    def layer(block, i, h, width, count):
        h = resnet(P, f"unet.{block}.resnets.{i}", h, width, groups, time)
        if count == 0:
            return h
        multiplier = sizes["feedForwardMultiplier"]
        return transformer(P, "unet", f"{block}.attentions.{i}", h, count, groups, multiplier, label, join)

    h = conv(P, "unet.conv_in", x, widths[0])
    h = h if guidance is None else h + guidance
    skips = [h]
    for level, width in enumerate(widths):
        for i in range(blocks):
            h = layer(f"down_blocks.{level}", i, h, width, heads[level])
            skips.append(h)
        if level + 1 < len(widths):
            h = conv(P, f"unet.down_blocks.{level}.downsamplers.0.conv", h, width, stride=2)
            skips.append(h)
    h = layer("mid_block", 0, h, widths[-1], heads[-1])
    h = resnet(P, "unet.mid_block.resnets.1", h, widths[-1], groups, time)
    for level in reversed(range(len(widths))):
        block = f"up_blocks.{len(widths) - 1 - level}"
        for i in range(blocks + 1):
            h = layer(block, i, torch.cat([h, skips.pop()], 1), widths[level], heads[level])
        if level > 0:
            h = conv(P, f"unet.{block}.upsamplers.0.conv", F.interpolate(h, scale_factor=2.0), widths[level])
    return conv(P, "unet.conv_out", F.silu(group_norm(P, "unet.conv_norm_out", h, groups)), x.shape[1])


def guidance_network(P, config, control, x):
    name, groups = f"guidance.{control['kind']}", config["model"]["unet"]["groups"]
    widths = control["widths"]
    h = F.silu(conv(P, f"{name}.conv_in", F.pixel_unshuffle(x, control["fold"]), widths[0]))
    for i, width in enumerate(widths):
        h = F.silu(conv(P, f"{name}.blocks.{2 * i}", h, width))
        if i + 1 < len(widths):
            h = F.silu(conv(P, f"{name}.blocks.{2 * i + 1}", h, widths[i + 1], stride=2))
    if control["heads"] > 0:
        tokens = group_norm(P, f"{name}.attention.group_norm", h, groups).flatten(2).transpose(1, 2)
        key, value = key_value(P, f"{name}.attention", tokens)
        mixed = attend(P, f"{name}.attention", tokens, key, value, control["heads"])
        h = h + mixed.transpose(1, 2).reshape(h.shape)
    return conv(P, f"{name}.conv_out", h, config["model"]["unet"]["widths"][0])


def lift_prior(config, batch):
    """What a visible lifted latent implies about v (src/denoiser/lift-prior.ts); alphas by step are in the batch."""
    believed = 1.06 * batch["visibility"] / (0.06 + batch["visibility"])
    factor = batch["visibility"].shape[-1] // batch["noisy"].shape[-1]
    belief = F.avg_pool2d(believed, factor)
    mu, variance = batch["liftedLatent"] * belief, 1 - belief * (1 - config["model"]["unet"]["liftPriorVariance"])
    signal, noise = (batch[key][:, None, None, None] for key in ("signal", "noise"))
    return noise / (signal**2 * variance + noise**2) * (signal * (1 - variance) * batch["noisy"] - mu)


def denoiser_loss(P, config, batch):
    """The first stage's loss; the reference passes through the denoiser itself at t = 0."""
    labels, kept = P("label_embedding.weight", 2, config["model"]["unet"]["labelWidth"]), {}

    def remember(path, hidden, own):
        kept[path] = hidden
        return own

    token = labels[batch["labels"]][:, None]
    unet(P, config, batch["reference"], torch.zeros_like(batch["timesteps"]), token, remember)
    keeps = batch["keepsReference"][:, None, None] > 0.5

    def join(path, hidden, own):
        block = f"unet.{path}.transformer_blocks.0.attn1"
        theirs = key_value(P, block, kept[path])
        return tuple(torch.cat([mine, torch.where(keeps, other, mine)], 1) for mine, other in zip(own, theirs))

    features = 0
    for control in config["model"]["unet"]["controls"]:
        if control["kind"] == "lifted":
            half = batch["visibility"].shape[-1] // batch["noisy"].shape[-1] // 2
            quarters = F.pixel_unshuffle(F.avg_pool2d(batch["visibility"], half), 2)
            seen = torch.cat([batch["liftedLatent"], quarters], 1)
        else:
            seen = batch[control["kind"]]
        features = features + guidance_network(P, config, control, seen)
    velocity = unet(P, config, batch["noisy"], batch["timesteps"], token, join, features)
    if config["model"]["unet"]["liftPriorVariance"] is not None:
        velocity = velocity + lift_prior(config, batch)
    return (batch["weight"] * (velocity - batch["velocity"]) ** 2).mean()


def encode(P, config, picture):
    sizes = config["model"]["autoencoder"]
    fold, widths, blocks, groups = (sizes["encoder"][key] for key in ("fold", "widths", "blocks", "groups"))
    name, channels = "vae.encoder", sizes["latentChannels"]
    factor = fold * 2 ** (len(widths) - 1)
    shortcut = conv(P, f"{name}.shortcut", F.pixel_unshuffle(picture, factor), channels, 1)
    h = conv(P, f"{name}.conv_in", F.pixel_unshuffle(picture, fold), widths[0])
    for level, width in enumerate(widths):
        here = f"{name}.down_blocks.{level}"
        for i in range(blocks):
            h = resnet(P, f"{here}.resnets.{i}", h, width, groups)
        if level + 1 < len(widths):
            h = conv(P, f"{here}.downsamplers.0.conv", h, widths[level + 1], stride=2)
    return shortcut + conv(P, f"{name}.conv_out", F.silu(group_norm(P, f"{name}.conv_norm_out", h, groups)), channels)


def decode(P, config, latent, lifted, visibility):
    sizes = config["model"]["autoencoder"]["decoder"]
    fold, widths, sides, blocks = (sizes[key] for key in ("fold", "widths", "sideWidths", "blocks"))
    name, factor = "vae.decoder", fold * 2 ** (len(widths) - 1)
    h, pyramid = F.pixel_unshuffle(torch.cat([lifted, visibility], 1), fold), []
    for level, width in enumerate(sides):
        h = h if level == 0 else F.avg_pool2d(h, 2)
        entered = conv(P, f"{name}.side.{level}.conv_in", h, width)
        h = resnet(P, f"{name}.side.{level}.resnets.0", entered, width)
        pyramid.append(h)
    h = conv(P, f"{name}.conv_in", latent, widths[-1])
    for level in reversed(range(len(widths))):
        here = f"{name}.up_blocks.{level}"
        h = h + conv(P, f"{here}.side", pyramid[level], widths[level], 1)
        for i in range(blocks):
            h = resnet(P, f"{here}.resnets.{i}", h, widths[level])
        if level > 0:
            h = F.pixel_shuffle(conv(P, f"{here}.upsampler", h, 4 * widths[level - 1], 1), 2)
    pixels = F.pixel_shuffle(conv(P, f"{name}.conv_out", F.leaky_relu(h, 0.1), 4 * fold * fold), fold)
    base = F.pixel_shuffle(conv(P, f"{name}.shortcut", latent, 3 * factor * factor, 1), factor)
    share = visibility * torch.sigmoid(pixels[:, 3:])
    return base + share * (lifted - base) + pixels[:, :3]


def structure_loss(a, b, block=4):
    c1, c2 = 0.02**2, 0.06**2
    local = lambda x: F.avg_pool2d(x, block)
    mean_a, mean_b = local(a), local(b)
    product, squares = mean_a * mean_b, mean_a**2 + mean_b**2
    covariance, variances = local(a * b) - product, local(a**2 + b**2) - squares
    return 1 - ((2 * product + c1) / (squares + c1) * (2 * covariance + c2) / (variances + c2)).mean()


def autoencoder_loss(P, config, batch):
    weights, picture = config["training"]["vae"], batch["picture"]
    latent = encode(P, config, picture)
    decoded = decode(P, config, latent + batch["latentNoise"], batch["lifted"], batch["visibility"])
    difference = decoded - picture
    edges = difference.diff(dim=2).abs().mean() + difference.diff(dim=3).abs().mean()
    structure = weights["structureWeight"] * structure_loss(decoded, picture)
    kl = 0.5 * weights["klWeight"] * (latent**2).mean()
    return difference.abs().mean() + weights["gradientWeight"] * edges + structure + kl


def make_batch(network, config, count):
    """Noise in the shapes of a batch."""
    picture = lambda channels, side: torch.randn(count, channels, side, side).contiguous(
        memory_format=torch.channels_last
    )
    if network == "autoencoder":
        side = config["training"]["vae"]["cropPx"]
        names = {"picture": 3, "lifted": 3, "visibility": 1}
        batch = {name: picture(channels, side) for name, channels in names.items()}
        channels, factor = config["model"]["autoencoder"]["latentChannels"], side_factor(config)
        return {**batch, "visibility": batch["visibility"].sigmoid(), "latentNoise": picture(channels, side // factor)}
    size, channels = config["model"]["size"], config["model"]["autoencoder"]["latentChannels"]
    side = size // side_factor(config)
    latents = ("noisy", "velocity", "reference", "liftedLatent")
    return {
        **{name: picture(channels, side) for name in latents},
        "gaussian": picture(config["model"]["gaussianChannels"], size).requires_grad_(),
        "visibility": picture(1, size).sigmoid(),
        "weight": torch.ones(count, 1, side, side),
        "labels": torch.arange(count) % 2,
        "timesteps": torch.full((count,), 500),
        "keepsReference": torch.ones(count),
        "signal": torch.full((count,), 0.7),
        "noise": torch.full((count,), 0.7),
    }


def side_factor(config):
    encoder = config["model"]["autoencoder"]["encoder"]
    return encoder["fold"] * 2 ** (len(encoder["widths"]) - 1)


LOSSES = {"denoiser": denoiser_loss, "autoencoder": autoencoder_loss}
