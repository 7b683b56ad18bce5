"""Weights that both sides make for themselves, so that goldens need not carry any.

Each tensor depends on its name alone: mulberry32 (src/tensor/random.ts) seeded with the FNV-1a hash of the name.
test/stable-diffusion/seeded-weights.ts is the same in TypeScript.
"""

import numpy as np
import torch


def name_hash(name):
    value = 0x811C9DC5
    for code in name.encode("utf-16-le")[::2]:
        value = ((value ^ code) * 0x01000193) & 0xFFFFFFFF
    return value


def uniform(name, count):
    """`count` numbers in [-1, 1)."""
    with np.errstate(over="ignore"):
        steps = np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x6D2B79F5) + np.uint64(name_hash(name))
        state = steps.astype(np.uint32)
        t = (state ^ (state >> np.uint32(15))) * (state | np.uint32(1))
        t ^= t + (t ^ (t >> np.uint32(7))) * (t | np.uint32(61))
        return (t ^ (t >> np.uint32(14))).astype(np.float64) / 2147483648.0 - 1.0


def tensor(name, shape):
    """An input: uniform with unit variance."""
    values = uniform(name, int(np.prod(shape))) * np.sqrt(3.0)
    return torch.from_numpy(values.astype(np.float32).reshape(shape))


def weight(name, shape):
    """A parameter: norms near one, biases small, matrices that keep the variance."""
    values = uniform(name, int(np.prod(shape)))
    if len(shape) > 1:
        values = values * np.sqrt(3.0 / np.prod(shape[1:]))
    elif name.endswith("weight"):
        values = 1.0 + 0.25 * values
    else:
        values = 0.25 * values
    return torch.from_numpy(values.astype(np.float32).reshape(shape))


def fill(model, prefix=""):
    """Gives a module the seeded weights; tables of positions stay as they are."""
    state = model.state_dict()
    for name, value in state.items():
        if not name.endswith(".pe"):
            state[name] = weight(prefix + name, tuple(value.shape))
    model.load_state_dict(state)
    return model.eval()
