"""Writes test/numpy/goldens/pickles.json: what Python itself pickles and saves, and the numbers in it.

    pip install -r bench/peers/pickles.requirements.txt
    PYTHONHASHSEED=0 python bench/peers/pickles.py

Arrays of NumPy, matrices of SciPy and arrays of chumpy in every protocol, as Python 3 and (by writing text as
Python 2 does) as Python 2 leave them; .npy and .npz files; and pickles that try to call something.
"""

import base64
import inspect
import io
import json
import os
import pickle
import struct
from collections import OrderedDict, namedtuple
from pathlib import Path

import numpy as np

# chumpy 0.70 was written for an older NumPy and an older Python.
for alias, real in {"bool": bool, "int": int, "float": float, "complex": complex, "object": object, "str": str}.items():
    if alias not in np.__dict__:
        setattr(np, alias, real)
np.unicode, np.nan_to_num = str, np.nan_to_num
inspect.getargspec = lambda f: namedtuple("Spec", "args varargs keywords defaults")(*inspect.getfullargspec(f)[:4])
import chumpy  # noqa: E402
import chumpy.reordering  # noqa: E402
import scipy.sparse  # noqa: E402

OUT = Path(__file__).resolve().parents[2] / "test/numpy/goldens/pickles.json"


class Python2Pickler(pickle._Pickler):
    """Writes bytes and text as Python 2's `str`: opcodes U and T."""

    dispatch = dict(pickle._Pickler.dispatch)

    def save_short(self, value):
        raw = value if isinstance(value, bytes) else value.encode("latin1")
        if self.bin:
            self.write(b"U" + bytes([len(raw)]) + raw if len(raw) < 256 else b"T" + struct.pack("<i", len(raw)) + raw)
        else:
            self.write(b"S" + (repr(raw)[1:]).encode("ascii") + b"\n")
        self.memoize(value)

    dispatch[bytes] = save_short
    dispatch[str] = save_short


def python2(value, protocol):
    buffer = io.BytesIO()
    Python2Pickler(buffer, protocol, fix_imports=True).dump(value)
    return (
        buffer.getvalue()
        .replace(b"numpy._core.multiarray", b"numpy.core.multiarray")
        .replace(b"scipy.sparse._csc", b"scipy.sparse.csc")
    )


class Call:
    def __init__(self, function, *args):
        self.call = (function, args)

    def __reduce__(self):
        return self.call


def main():
    random = np.random.default_rng(1)
    floats = random.normal(size=(3, 4))
    regressor = scipy.sparse.random(3, 7, density=0.4, random_state=2, format="csc")
    ch = chumpy.array(random.normal(size=(2, 3)))
    select = ch[:, 1:]
    assert type(select).__module__ == "chumpy.reordering", type(select)

    content = {
        "doubles": floats,
        "singles": floats.astype(np.float32),
        "halves": floats.astype(np.float16),
        "fortran": np.asfortranarray(floats),
        "cube in fortran order": np.asfortranarray(random.normal(size=(2, 3, 4))),
        "big-endian": floats.astype(">f8"),
        "integers": np.arange(-3, 3, dtype=np.int64).reshape(2, 3),
        "small integers": np.arange(-3, 3, dtype=np.int8),
        "parents": np.array([[4294967295, 0, 1], [0, 1, 2]], dtype=np.uint32),
        "flags": np.array([True, False]),
        "scalar": np.float64(2.5),
        "csc": regressor,
        "csr": regressor.tocsr(),
        "chumpy": ch,
        "selection": select,
        "text": "FLAME",
        "list": [1, -2, 300, 70000, 2**40, -(2**40), 1.5, None, True, False],
        "nested": OrderedDict(a=(1, 2), b=[{"c": "d"}]),
    }


    def expected(value):
        if isinstance(value, dict):
            return {key: expected(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [expected(item) for item in value]
        if isinstance(value, np.generic):
            return value.item()
        if scipy.sparse.issparse(value):
            value = value.toarray()
        if isinstance(value, chumpy.Ch):
            value = value.r
        if isinstance(value, np.ndarray):
            return {"shape": list(value.shape), "data": value.ravel().astype(float).tolist()}
        return value


    def entry(name, raw):
        return {"name": name, "base64": base64.b64encode(raw).decode()}


    def saved(write, *args, **named):
        buffer = io.BytesIO()
        write(buffer, *args, **named)
        return buffer.getvalue()


    numbers = {key: value for key, value in content.items() if isinstance(value, np.ndarray)}
    goldens = {
        "expected": expected(content),
        "pickles": [
            *(entry(f"protocol {p}", pickle.dumps(content, p)) for p in range(6)),
            *(entry(f"protocol {p} as Python 2 writes it", python2(content, p)) for p in range(3)),
        ],
        "npz": [entry("stored", saved(np.savez, **numbers)), entry("deflated", saved(np.savez_compressed, **numbers))],
        "npyOfDictionary": entry("npy of a dictionary", saved(np.save, {"lmk_face_idx": np.arange(4)}, allow_pickle=True)),
        "calls": [
            *(
                entry(f"{name}, protocol {p}", pickle.dumps({"v_template": Call(*call)}, p))
                for p in (0, 2, 4)
                for name, call in {
                    "os.system": (os.system, "echo ran"),
                    "eval": (eval, "1 + 1"),
                    "getattr": (getattr, "a", "upper"),
                    "import": (__import__, "os"),
                    "numpy.load": (np.load, "/etc/passwd"),
                    "numpy.ndarray.tofile": (np.ndarray.tofile, "x"),
                    "open": (open, "/etc/passwd"),
                }.items()
            ),
            entry("an instance by opcode", b"(S'echo'\nios\nsystem\n."),
            entry("an object by opcode", b"(cos\nsystem\nS'echo'\no."),
            entry("a persistent id", b"Pid\n."),
            entry("an extension", b"\x80\x02\x82\x01."),
        ],
    }
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(goldens) + "\n")
    print(OUT, OUT.stat().st_size)


if __name__ == "__main__":
    main()
