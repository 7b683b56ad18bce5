"""Writes test/checkpoints/goldens: names of published layouts as diffusers converts them, and small files as PyTorch
and safetensors write them.

    pip install -r bench/peers/stable_diffusion.requirements.txt
    python bench/peers/weight_layouts.py

A layout's names are made here by short rules and go through diffusers' own converter: what comes out must be exactly
the names of the instantiated model, or the script fails.
"""

import base64
import gzip
import io
import json
import pickle
import re
import zipfile
from pathlib import Path

import torch
from diffusers import AutoencoderKL, MotionAdapter, UNet2DConditionModel
from diffusers.loaders.single_file_utils import (
    convert_animatediff_checkpoint_to_diffusers,
    convert_ldm_unet_checkpoint,
    convert_ldm_vae_checkpoint,
)
from safetensors.torch import save as save_safetensors

OUT = Path(__file__).resolve().parents[2] / "test/checkpoints/goldens"
WIDTHS = (320, 640, 1280, 1280)


class Named:
    """Stands in for a tensor on its way through a converter, which may index it."""

    def __init__(self, name):
        self.name, self.shape, self.ndim = name, (1, 1), 2

    def __getitem__(self, _):
        return self


def renamed(names, model, converter, *args):
    """{original name: diffusers' name}, complete."""
    converted = converter({name: Named(name) for name in names}, *args)
    result = {value.name: name for name, value in converted.items()}
    wanted = {name for name in model.state_dict() if not name.endswith(".pe")}
    assert set(result.values()) == wanted, set(result.values()) ^ wanted
    return result


def original_unet():
    with torch.device("meta"):
        model = UNet2DConditionModel(
            sample_size=64, in_channels=4, out_channels=4, layers_per_block=2, block_out_channels=WIDTHS,
            down_block_types=["CrossAttnDownBlock2D"] * 3 + ["DownBlock2D"],
            up_block_types=["UpBlock2D"] + ["CrossAttnUpBlock2D"] * 3, attention_head_dim=8, cross_attention_dim=768,
        )
    state = model.state_dict()
    resnet = ["in_layers.0", "in_layers.2", "emb_layers.1", "out_layers.0", "out_layers.3"]
    modules = ["time_embed.0", "time_embed.2", "input_blocks.0.0", "out.0", "out.2"]
    attention = {n.split("attentions.0.", 1)[1] for n in state if n.startswith("down_blocks.0.attentions.0.")}
    names = set()

    def add_resnet(place, has_shortcut):
        modules.extend(f"{place}.{part}" for part in resnet + (["skip_connection"] if has_shortcut else []))

    for i in range(1, 12):
        if i % 3 == 0:
            modules.append(f"input_blocks.{i}.0.op")
            continue
        add_resnet(f"input_blocks.{i}.0", i in (4, 7))
        if i < 9:
            names |= {f"input_blocks.{i}.1.{a}" for a in attention}
    for i in (0, 2):
        add_resnet(f"middle_block.{i}", False)
    names |= {f"middle_block.1.{a}" for a in attention}
    for i in range(12):
        add_resnet(f"output_blocks.{i}.0", True)
        if i > 2:
            names |= {f"output_blocks.{i}.1.{a}" for a in attention}
        if i % 3 == 2 and i < 11:
            modules.append(f"output_blocks.{i}.{1 if i == 2 else 2}.conv")
    names |= {f"{module}.{kind}" for module in modules for kind in ("weight", "bias")}
    names = {f"model.diffusion_model.{name}" for name in names}
    return {
        original if original.startswith("model.") else f"model.diffusion_model.{original}": own
        for original, own in renamed(names, model, convert_ldm_unet_checkpoint, dict(model.config)).items()
    }


def original_autoencoder():
    with torch.device("meta"):
        model = AutoencoderKL(
            in_channels=3, out_channels=3, latent_channels=4, layers_per_block=2, block_out_channels=(128, 256, 512, 512),
            down_block_types=["DownEncoderBlock2D"] * 4, up_block_types=["UpDecoderBlock2D"] * 4,
        )
    parts = ["norm1", "conv1", "norm2", "conv2"]
    modules = ["quant_conv", "post_quant_conv"]
    for side in ("encoder", "decoder"):
        modules += [f"{side}.{m}" for m in ("conv_in", "conv_out", "norm_out")]
        modules += [f"{side}.mid.block_{i}.{p}" for i in (1, 2) for p in parts]
        modules += [f"{side}.mid.attn_1.{p}" for p in ("norm", "q", "k", "v", "proj_out")]
    modules += [f"encoder.down.{i}.block.{j}.{p}" for i in range(4) for j in range(2) for p in parts]
    modules += [f"encoder.down.{i}.block.0.nin_shortcut" for i in (1, 2)]
    modules += [f"encoder.down.{i}.downsample.conv" for i in range(3)]
    modules += [f"decoder.up.{i}.block.{j}.{p}" for i in range(4) for j in range(3) for p in parts]
    modules += [f"decoder.up.{i}.block.0.nin_shortcut" for i in (0, 1)]
    modules += [f"decoder.up.{i}.upsample.conv" for i in (1, 2, 3)]
    names = [f"first_stage_model.{m}.{kind}" for m in modules for kind in ("weight", "bias")]
    return renamed(names, model, convert_ldm_vae_checkpoint, dict(model.config))


def animatediff(has_middle):
    with torch.device("meta"):
        model = MotionAdapter(
            block_out_channels=WIDTHS, motion_layers_per_block=2, motion_norm_num_groups=32,
            motion_num_attention_heads=8, motion_max_seq_length=32, use_motion_mid_block=has_middle,
        )

    def original(name):
        name = re.sub(r"(motion_modules\.\d)\.", r"\1.temporal_transformer.", name)
        name = name.replace(".norm3.", ".ff_norm.")
        name = re.sub(r"blocks\.0\.norm(\d)\.", lambda m: f"blocks.0.norms.{int(m[1]) - 1}.", name)
        return re.sub(r"\.attn(\d)\.", lambda m: f".attention_blocks.{int(m[1]) - 1}.", name)

    names = [original(name) for name in model.state_dict() if not name.endswith(".pe")]
    return renamed(names, model, convert_animatediff_checkpoint_to_diffusers)


class Call:
    def __reduce__(self):
        return eval, ("1 + 1",)


def files():
    """Small files by name: base64, and the numbers in them."""
    base = torch.arange(24, dtype=torch.float32).reshape(2, 3, 4) / 7 - 1
    tensors = {
        "float32": base,
        "float16": base.half(),
        "bfloat16": base.bfloat16(),
        "float64": base.double(),
        "int64": torch.arange(5) - 2,
        "transposed": base.permute(2, 0, 1),
        "slice": base[1, :, 1:3],
        "scalar": torch.tensor(1.5),
        "parameter": torch.nn.Parameter(base[0]),
        "empty": torch.zeros(0, 3),
    }
    made = {}

    def torch_file(name, value, **more):
        buffer = io.BytesIO()
        torch.save(value, buffer, **more)
        made[name] = buffer.getvalue()

    torch_file("plain.pth", tensors)
    torch_file("lightning.ckpt", {"epoch": 3, "global_step": 7, "callbacks": {}, "lr": 1e-4, "state_dict": tensors})
    torch_file("old.pth", tensors, _use_new_zipfile_serialization=False)
    torch_file("calls.ckpt", {"state_dict": {"a": base}, "extra": Call()})
    torch_file("no-tensors.bin", {"a": 1})
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", pickle.dumps({}, protocol=2))
    made["compressed.pth"] = buffer.getvalue()
    whole = {name: value.detach().contiguous().clone() for name, value in tensors.items()}
    made["plain.safetensors"] = save_safetensors(whole, metadata={"format": "pt", "license": "none"})
    values = {name: value.detach().double().contiguous().flatten().tolist() for name, value in tensors.items()}
    shapes = {name: list(value.shape) for name, value in tensors.items()}
    return {
        "files": {name: base64.b64encode(data).decode() for name, data in made.items()},
        "values": values,
        "shapes": shapes,
    }


if __name__ == "__main__":
    OUT.mkdir(parents=True, exist_ok=True)
    names = {
        "unet": original_unet(),
        "vae": original_autoencoder(),
        "motion2": animatediff(True),
        "motion3": animatediff(False),
    }
    (OUT / "names.json.gz").write_bytes(gzip.compress(json.dumps(names, separators=(",", ":")).encode(), mtime=0))
    (OUT / "files.json").write_text(json.dumps(files(), separators=(",", ":")) + "\n")
    print({k: len(v) for k, v in names.items()}, sum(f.stat().st_size for f in OUT.iterdir()), "bytes")
