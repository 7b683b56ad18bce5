"""Writes test/stable-diffusion/goldens: what diffusers computes with small networks, and its full-size key lists.

    pip install -r bench/peers/stable_diffusion.requirements.txt
    python bench/peers/stable_diffusion.py

Small-width AutoencoderKL, UNet2DConditionModel (as SD 1.5 and as SD 2.1), UNetMotionModel, the full-width blocks of
each kind, and DDIM with v-prediction, zero terminal SNR and trailing spacing. The original AnimateDiff norm (each
frame alone) and the reference attention are stated in plain PyTorch on top of diffusers' modules.
Weights and inputs come from seeded_weights.py, so that the goldens hold outputs alone.
"""

import gzip
import json
from pathlib import Path

import torch
from diffusers import AutoencoderKL, DDIMScheduler, MotionAdapter, UNet2DConditionModel, UNetMotionModel
from diffusers.models.attention import BasicTransformerBlock
from diffusers.models.transformers.transformer_2d import Transformer2DModel
from diffusers.models.unets.unet_motion_model import AnimateDiffTransformer3D
from safetensors.torch import save_file

from seeded_weights import fill, tensor

OUT = Path(__file__).resolve().parents[2] / "test/stable-diffusion/goldens"
goldens = {}
torch.set_grad_enabled(False)
torch.set_num_threads(1)
MOST = 512


def keep(name, value):
    """Small outputs whole; of large ones every n-th element, n odd: both sides take the same."""
    flat = value.detach().contiguous().flatten().float()
    step = 1
    while flat.numel() / step > MOST:
        step += 2
    goldens[name] = flat[::step].clone()


def observe(model, prefix, paths):
    for path in paths:
        def hook(_, __, output, path=path):
            keep(f"{prefix}/{path}", output[0] if isinstance(output, tuple) else output)
        model.get_submodule(path).register_forward_hook(hook)


BLOCKS = ["conv_in", *(f"down_blocks.{i}" for i in range(4)), "mid_block", *(f"up_blocks.{i}" for i in range(4))]
SMALL = dict(
    sample_size=8, in_channels=4, out_channels=4, layers_per_block=2, block_out_channels=(16, 24, 32, 32),
    norm_num_groups=8,
)
DOWN = ["CrossAttnDownBlock2D"] * 3 + ["DownBlock2D"]
UP = ["UpBlock2D"] + ["CrossAttnUpBlock2D"] * 3
LATENT = (2, 4, 16, 16)


def small_unet(**more):
    return UNet2DConditionModel(**SMALL, down_block_types=DOWN, up_block_types=UP, **more)


def unets():
    # In SD 1.5's configuration `attention_head_dim` 8 means 8 heads: a name that diffusers kept for old files.
    for name, more, width in [
        ("unet15", dict(attention_head_dim=4, cross_attention_dim=24), 24),
        ("unet21", dict(attention_head_dim=(2, 3, 4, 4), cross_attention_dim=20, use_linear_projection=True), 20),
    ]:
        model = fill(small_unet(**more))
        timesteps = torch.tensor([3, 981])
        single = tensor(f"{name}.label", (2, 1, width))
        keep(f"{name}/single-token", model(tensor(f"{name}.latent", LATENT), timesteps, single).sample)
        context = tensor(f"{name}.context", (2, 5, width))
        observe(model, name, BLOCKS)
        keep(f"{name}/out", model(tensor(f"{name}.latent", LATENT), timesteps, context).sample)


def attend_to_reference(writer, reader):
    """ReferenceNet as Moore-AnimateAnyone and Champ state it: keys and values of [own, reference] states."""
    bank = {}

    def blocks(model):
        return [(n, m) for n, m in model.named_modules() if isinstance(m, BasicTransformerBlock)]

    for name, block in blocks(writer):
        block.norm1.register_forward_hook(lambda _, __, out, name=name: bank.__setitem__(name, out.clone()))
    for name, block in blocks(reader):
        original = block.attn1.forward

        def forward(hidden, encoder_hidden_states=None, name=name, original=original, **kwargs):
            theirs = bank[name].repeat(hidden.shape[0], 1, 1)
            return original(hidden, encoder_hidden_states=torch.cat([hidden, theirs], dim=1), **kwargs)

        block.attn1.forward = forward


def reference():
    more = dict(attention_head_dim=4, cross_attention_dim=24)
    writer, reader = fill(small_unet(**more), "reference."), fill(small_unet(**more))
    attend_to_reference(writer, reader)
    writer(tensor("reference.latent", (1, 4, 16, 16)), torch.tensor([0]), tensor("reference.label", (1, 1, 24)))
    latent, label = tensor("unet15.latent", LATENT), tensor("unet15.label", (2, 1, 24))
    keep("reference/out", reader(latent, torch.tensor([3, 981]), label).sample)


def motion():
    frames, clips = 6, 2
    names = ["CrossAttnDownBlockMotion"] * 3 + ["DownBlockMotion"], ["UpBlockMotion"] + ["CrossAttnUpBlockMotion"] * 3
    latent = tensor("motion.latent", (clips, 4, frames, 16, 16))
    context = tensor("motion.context", (clips, 3, 24)).repeat_interleave(frames, 0)
    for name, has_middle, per_frame in [("motion2", True, False), ("motion3", False, False), ("motion2-frames", True, True)]:
        model = UNetMotionModel(
            **SMALL, down_block_types=names[0], up_block_types=names[1], cross_attention_dim=24,
            num_attention_heads=4, motion_num_attention_heads=4, motion_max_seq_length=8,
            use_motion_mid_block=has_middle,
        )
        fill(model)
        if per_frame:
            for module in model.modules():
                if isinstance(module, AnimateDiffTransformer3D):
                    norm = module.norm.forward
                    # AnimateDiff folds the frames into the batch before its norm.
                    module.norm.forward = lambda x, norm=norm: torch.stack([norm(f) for f in x.unbind(2)], 2)
        else:
            observe(model, name, BLOCKS)
        out = model(latent, torch.tensor([981] * clips), context).sample
        keep(f"{name}/out", out.permute(0, 2, 1, 3, 4).flatten(0, 1))


def autoencoder():
    model = fill(AutoencoderKL(
        in_channels=3, out_channels=3, latent_channels=4, layers_per_block=2, block_out_channels=(16, 24, 32, 32),
        norm_num_groups=8, down_block_types=["DownEncoderBlock2D"] * 4, up_block_types=["UpDecoderBlock2D"] * 4,
    ))
    observe(model, "vae", [f"encoder.down_blocks.{i}" for i in range(4)] + ["encoder.mid_block", "decoder.mid_block"]
            + [f"decoder.up_blocks.{i}" for i in range(4)])
    posterior = model.encode(tensor("vae.picture", (2, 3, 32, 32))).latent_dist
    keep("vae/mean", posterior.mean)
    keep("vae/logVariance", posterior.logvar)
    keep("vae/picture", model.decode(tensor("vae.latent", (2, 4, 4, 4))).sample)


def full_width():
    """One block of each kind at Stable Diffusion's own width."""
    block = Transformer2DModel(8, 40, in_channels=320, cross_attention_dim=768, norm_num_groups=32)
    keep("full/transformer", fill(block)(tensor("full.x", (1, 320, 8, 8)), tensor("full.context", (1, 77, 768)))[0])
    block = Transformer2DModel(5, 64, in_channels=320, cross_attention_dim=1024, norm_num_groups=32, use_linear_projection=True)
    keep("full/transformer21", fill(block)(tensor("full.x", (1, 320, 8, 8)), tensor("full.context21", (1, 77, 1024)))[0])
    from diffusers.models.resnet import ResnetBlock2D
    block = fill(ResnetBlock2D(in_channels=640, out_channels=320, temb_channels=1280, groups=32, eps=1e-5))
    keep("full/resnet", block(tensor("full.wide", (1, 640, 8, 8)), tensor("full.time", (1, 1280))))
    block = AnimateDiffTransformer3D(
        8, 40, in_channels=320, activation_fn="geglu", positional_embeddings="sinusoidal", num_positional_embeddings=32,
        norm_num_groups=32, attention_bias=False, double_self_attention=True,
    )
    keep("full/motion", fill(block)(tensor("full.clip", (14, 320, 4, 4)), num_frames=14))
    model = fill(AutoencoderKL(
        latent_channels=4, layers_per_block=1, block_out_channels=(512,), norm_num_groups=32,
        down_block_types=["DownEncoderBlock2D"], up_block_types=["UpDecoderBlock2D"],
    ))
    observe(model, "full-vae", ["encoder.mid_block", "decoder.mid_block"])
    keep("full-vae/mean", model.encode(tensor("full.picture", (1, 3, 8, 8))).latent_dist.mean)
    keep("full-vae/picture", model.decode(tensor("full.latent", (1, 4, 8, 8))).sample)


def full_reference():
    """The reference attention at each width that Stable Diffusion 1.5's transformers have; one reference, two frames."""
    for width, side in [(320, 8), (640, 8), (1280, 4)]:
        writer, reader = (
            fill(Transformer2DModel(8, width // 8, in_channels=width, cross_attention_dim=768, norm_num_groups=32), prefix)
            for prefix in ("reference.", "")
        )
        attend_to_reference(writer, reader)
        label = tensor("full.label", (1, 1, 768))
        writer(tensor(f"full.reference{width}", (1, width, side, side)), label)
        frames = tensor(f"full.frames{width}", (2, width, side, side))
        keep(f"full-reference/{width}", reader(frames, label.repeat(2, 1, 1))[0])


def guidance():
    """Champ's guidance encoder at full width, as its repository states the forward pass."""

    class GuidanceEncoder(torch.nn.Module):
        def __init__(self, channels=8, widths=(16, 32, 96, 256)):
            super().__init__()
            conv = lambda a, b, stride=1: torch.nn.Conv2d(a, b, 3, stride, 1)  # noqa: E731
            self.conv_in = conv(channels, widths[0])
            self.blocks = torch.nn.ModuleList()
            for a, b in zip(widths, widths[1:]):
                self.blocks += [conv(a, a), conv(a, b, 2)]
            self.attentions = torch.nn.ModuleDict({"5": Transformer2DModel(8, 32, in_channels=256, norm_num_groups=32)})
            self.conv_out = conv(widths[-1], 320)

        def forward(self, x):
            for layer in [self.conv_in, *self.blocks]:
                x = torch.nn.functional.silu(layer(x))
            return self.conv_out(self.attentions["5"](x)[0])

    keep("full/guidance", fill(GuidanceEncoder())(tensor("full.control", (1, 8, 64, 64))))


def sampler():
    scheduler = DDIMScheduler(
        num_train_timesteps=1000, beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", clip_sample=False,
        set_alpha_to_one=True, prediction_type="v_prediction", rescale_betas_zero_snr=True, timestep_spacing="trailing",
    )
    keep("ddim/alphas", scheduler.alphas_cumprod)
    for steps in (4, 20):
        scheduler.set_timesteps(steps)
        goldens[f"ddim/timesteps{steps}"] = scheduler.timesteps.float().clone()
        sample = tensor("ddim.noise", (64,))
        for t in scheduler.timesteps:
            sample = scheduler.step(tensor(f"ddim.v{int(t)}", (64,)), t, sample).prev_sample
        keep(f"ddim/sample{steps}", sample)


def key_lists():
    """Names and shapes of the full-size models' parameters, as the libraries make them."""
    big = dict(sample_size=64, in_channels=4, out_channels=4, layers_per_block=2,
               block_out_channels=(320, 640, 1280, 1280), norm_num_groups=32)
    motion = dict(block_out_channels=(320, 640, 1280, 1280), motion_layers_per_block=2, motion_norm_num_groups=32,
                  motion_num_attention_heads=8, motion_max_seq_length=32)
    with torch.device("meta"):
        models = {
            "unet15": UNet2DConditionModel(**big, down_block_types=DOWN, up_block_types=UP, attention_head_dim=8, cross_attention_dim=768),
            "unet21": UNet2DConditionModel(**big, down_block_types=DOWN, up_block_types=UP, attention_head_dim=(5, 10, 20, 20),
                                           cross_attention_dim=1024, use_linear_projection=True),
            "vae": AutoencoderKL(
                in_channels=3, out_channels=3, latent_channels=4, layers_per_block=2, block_out_channels=(128, 256, 512, 512),
                norm_num_groups=32, down_block_types=["DownEncoderBlock2D"] * 4, up_block_types=["UpDecoderBlock2D"] * 4,
            ),
            "motion2": MotionAdapter(**motion, use_motion_mid_block=True),
            "motion3": MotionAdapter(**motion, use_motion_mid_block=False),
        }
    lists = {name: {k: list(v.shape) for k, v in model.state_dict().items()} for name, model in models.items()}
    packed = gzip.compress(json.dumps(lists, separators=(",", ":")).encode(), mtime=0)
    (OUT / "key-lists.json.gz").write_bytes(packed)


if __name__ == "__main__":
    OUT.mkdir(parents=True, exist_ok=True)
    for part in (unets, reference, motion, autoencoder, full_width, full_reference, guidance, sampler, key_lists):
        part()
    save_file(goldens, OUT / "networks.safetensors")
    print(f"{len(goldens)} goldens, {sum(f.stat().st_size for f in OUT.iterdir())} bytes")
