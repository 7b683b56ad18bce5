"""Carries small random models of diffusers through weights import and export, and back into diffusers and ONNX Runtime.

    pip install -r bench/peers/stable_diffusion.requirements.txt
    python bench/peers/weights_round_trip.py

Exports must load into diffusers without a missing or unexpected key and give the very numbers that went in; the ONNX
models must give diffusers' outputs to 1e-4 in plain Python onnxruntime. Prints one line for each check.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from diffusers import AutoencoderKL, MotionAdapter, UNet2DConditionModel, UNetMotionModel
from safetensors.torch import load_file, save_file

from seeded_weights import fill

ROOT = Path(__file__).resolve().parents[2]
WIDTHS, GROUPS, HEADS, CONTEXT = (32, 32, 64, 64), 8, 4, 48
torch.set_grad_enabled(False)


def cli(*words):
    command = ["node", "bin/learn2control.js", "weights", *map(str, words), "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
    return json.loads(done.stdout)


def check(title, is_right, detail=""):
    print(f"{'ok' if is_right else 'FAILED'}: {title} {detail}")
    if not is_right:
        sys.exit(1)


def close(a, b):
    return float(np.abs(a - b).max() / np.abs(b).max())


def animatediff_name(name):
    import re

    name = re.sub(r"(motion_modules\.\d)\.", r"\1.temporal_transformer.", name)
    name = name.replace(".norm3.", ".ff_norm.").replace(".pos_embed.pe", ".attention_blocks.0.pos_encoder.pe")
    name = re.sub(r"blocks\.0\.norm(\d)\.", lambda m: f"blocks.0.norms.{int(m[1]) - 1}.", name)
    return re.sub(r"\.attn(\d)\.", lambda m: f".attention_blocks.{int(m[1]) - 1}.", name)


with tempfile.TemporaryDirectory() as folder:
    folder = Path(folder)
    unet = fill(UNet2DConditionModel(
        sample_size=8, in_channels=4, out_channels=4, layers_per_block=2, block_out_channels=WIDTHS, norm_num_groups=GROUPS,
        down_block_types=["CrossAttnDownBlock2D"] * 3 + ["DownBlock2D"], up_block_types=["UpBlock2D"] + ["CrossAttnUpBlock2D"] * 3,
        attention_head_dim=HEADS, cross_attention_dim=CONTEXT,
    ))
    vae = fill(AutoencoderKL(
        in_channels=3, out_channels=3, latent_channels=4, layers_per_block=2, block_out_channels=WIDTHS, norm_num_groups=GROUPS,
        down_block_types=["DownEncoderBlock2D"] * 4, up_block_types=["UpDecoderBlock2D"] * 4,
    ))
    motion = fill(MotionAdapter(
        block_out_channels=WIDTHS, motion_layers_per_block=2, motion_norm_num_groups=GROUPS, motion_num_attention_heads=HEADS,
        motion_max_seq_length=16, use_motion_mid_block=True,
    ))
    # Sharded safetensors, a .bin, and AnimateDiff's layout in a .ckpt.
    unet.save_pretrained(folder / "sd/unet", max_shard_size="500KB")
    vae.save_pretrained(folder / "sd/vae", safe_serialization=False)
    original = {"module." + animatediff_name(k): v for k, v in motion.state_dict().items()}
    torch.save({"epoch": 1, "state_dict": original}, folder / "mm.ckpt")
    paper = json.loads((ROOT / "configs/paper.json").read_text())
    model = paper["model"]
    model.update(size=64, frames=4)
    model["sampling"].update(overlapFrames=1)
    model["autoencoder"].update(widths=WIDTHS, groups=GROUPS)
    model["unet"].update(widths=WIDTHS, heads=[HEADS] * 4, groups=GROUPS, contextWidth=CONTEXT)
    # diffusers' own norm over the clip, since the outputs are compared with diffusers.
    model["unet"]["motion"].update(heads=HEADS, maxFrames=16, normalises="clip")
    (folder / "small.json").write_text(json.dumps(paper))

    own = folder / "own.safetensors"
    made = cli("import", "--base", folder / "sd", "--motion", folder / "mm.ckpt", "--config", folder / "small.json", "--out", own)
    parts = made["byPart"]
    check("import fills U-Net, reference, autoencoder and motion", all(
        parts[p]["fresh"] == 0 for p in ("unet", "reference_unet", "vae", "motion")), parts)
    check("nothing is left over", made["leftOver"] == 0)
    seen = cli("inspect", own)
    check("inspect counts the weights", seen["parameters"] == sum(v.numel() for v in load_file(own).values()))

    for part, source in [("unet", unet), ("vae", vae), ("motion", motion), ("reference_unet", unet)]:
        out = folder / f"{part}.safetensors"
        cli("export", own, "--part", part, "--out", out)
        state = load_file(out)
        source_state = source.state_dict()
        missing, unexpected = source.load_state_dict(state, strict=True) if state.keys() == source_state.keys() else (1, 1)
        same = all(torch.equal(state[k], source_state[k]) for k in state)
        check(f"{part} goes back into diffusers bit for bit", not missing and not unexpected and same)

    def run(part, feeds, *more):
        out = folder / f"{part}{len(more)}.onnx"
        cli("export", own, "--part", part, "--out", out, *more)
        session = onnxruntime.InferenceSession(str(out), providers=["CPUExecutionProvider"])
        wanted = {i.name for i in session.get_inputs()}
        assert wanted == feeds.keys(), (wanted, feeds.keys())
        return dict(zip([o.name for o in session.get_outputs()], session.run(None, {k: v.numpy() for k, v in feeds.items()})))

    generator = torch.Generator().manual_seed(0)
    normal = lambda *shape: torch.randn(shape, generator=generator)  # noqa: E731
    latent, context, t = normal(1, 4, 8, 8), normal(1, 1, CONTEXT), torch.tensor([500])
    out = run("unet", {"latent": latent, "context": context, "timesteps": t, "guidance": torch.zeros(1, WIDTHS[0], 8, 8)})["out"]
    error = close(out, unet(latent, t, context).sample.numpy())
    check("the U-Net's ONNX gives diffusers' numbers", error < 1e-4, f"{error:.1e}")
    clip = normal(4, 4, 8, 8)
    contexts = context.repeat(4, 1, 1)
    moved = fill(UNetMotionModel.from_unet2d(unet, motion))
    fed = {"latent": clip, "context": contexts, "timesteps": t.repeat(4), "guidance": torch.zeros(4, WIDTHS[0], 8, 8)}
    out = run("unet", fed, "--frames", 4)["out"]
    expected = moved(clip.permute(1, 0, 2, 3)[None], t, contexts).sample[0].permute(1, 0, 2, 3).numpy()
    error = close(out, expected)
    check("the U-Net's ONNX with motion modules gives diffusers' numbers", error < 1e-4, f"{error:.1e}")
    picture = normal(1, 3, 64, 64)
    out = run("vae-encoder", {"picture": picture})["mean"]
    error = close(out, vae.encode(picture).latent_dist.mean.numpy())
    check("the encoder's ONNX gives diffusers' numbers", error < 1e-4, f"{error:.1e}")
    out = run("vae-decoder", {"latent": latent})["picture"]
    error = close(out, vae.decode(latent).sample.numpy())
    check("the decoder's ONNX gives diffusers' numbers", error < 1e-4, f"{error:.1e}")
