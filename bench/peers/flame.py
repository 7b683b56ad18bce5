"""Writes test/flame/goldens: a small model in FLAME's files, and what the smplx package makes of it.

    pip install -r bench/peers/flame.requirements.txt
    PYTHONHASHSEED=0 python bench/peers/flame.py [FLAME_OPEN_PARTIAL_FOLDER]

The model has FLAME's joints and FLAME's numbers of components on a mesh of 30 vertices with random bases. With the
folder of extracted FLAME 2023 Open numbers, also sums over the posed mesh of smplx's own skinning function: enough
to tell whether two meshes agree, without holding any of the mesh.
"""

import gzip
import json
import sys
import tempfile
from pathlib import Path

import numpy as np
import scipy.sparse
import smplx
import torch
from pickles import chumpy, python2
from smplx.lbs import lbs, vertices2landmarks

OUT = Path(__file__).resolve().parents[2] / "test/flame/goldens"
OUT.mkdir(parents=True, exist_ok=True)
random = np.random.default_rng(7)
torch.set_default_dtype(torch.float64)

# A skull of an octahedron divided once, and two eyeballs of one octahedron each; metres, y up, face to +z.
corners = np.array([[1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0], [0, 0, 1], [0, 0, -1]], float)
octahedron = [[0, 2, 4], [2, 1, 4], [1, 3, 4], [3, 0, 4], [2, 0, 5], [1, 2, 5], [3, 1, 5], [0, 3, 5]]


def divide(points, faces):
    points, middles, out = list(points), {}, []

    def middle(a, b):
        key = (min(a, b), max(a, b))
        if key not in middles:
            middles[key] = len(points)
            point = points[a] + points[b]
            points.append(point / np.linalg.norm(point))
        return middles[key]

    for a, b, c in faces:
        ab, bc, ca = middle(a, b), middle(b, c), middle(c, a)
        out += [[a, ab, ca], [b, bc, ab], [c, ca, bc], [ab, bc, ca]]
    return np.array(points), out


skull, skull_faces = divide(corners, octahedron)
points = [skull * [0.08, 0.12, 0.1]]
faces = [np.array(skull_faces)]
for x in (0.032, -0.032):
    faces.append(np.array(octahedron) + sum(map(len, points)))
    points.append(corners * 0.012 + [x, 0.03, 0.08])
template, faces = np.concatenate(points), np.concatenate(faces).astype(np.uint32)
count = len(template)
weights = random.uniform(0, 1, (count, 5)) * [1, 1, 1, 0, 0]
weights[-12:] = 0
weights[-12:-6, 3] = weights[-6:, 4] = 1
weights /= weights.sum(1, keepdims=True)
regressor = np.zeros((5, count))
regressor[:3] = random.uniform(0, 1, (3, count)) * (random.uniform(0, 1, (3, count)) < 0.4)
regressor[3, -12:-6] = regressor[4, -6:] = 1
regressor /= regressor.sum(1, keepdims=True)


def short(values):
    """Values of few digits, which pack small."""
    return np.round(values * 4096) / 4096


spread = 0.004 * 0.99 ** np.arange(400)
model = {
    "v_template": chumpy.array(template),
    "shapedirs": chumpy.array(short(random.normal(size=(count, 3, 400)) * spread)),
    "posedirs": short(random.normal(size=(count, 3, 36)) * 0.003),
    "J_regressor": scipy.sparse.csc_matrix(regressor),
    "weights": weights,
    "kintree_table": np.array([[4294967295, 0, 1, 1, 1], [0, 1, 2, 3, 4]], dtype=np.uint32),
    "f": faces,
    "bs_style": "lbs",
    "bs_type": "lrotmin",
}
embedding = {
    "lmk_face_idx": random.integers(0, len(faces), 51).astype(np.uint32),
    "lmk_b_coords": random.dirichlet([1, 1, 1], 51),
}
contour = {
    "lmk_face_idx": random.integers(0, len(faces), (79, 17)),
    "lmk_b_coords": random.dirichlet([1, 1, 1], (79, 17)),
}
model_bytes = python2(model, 2)
(OUT / "model.pkl.gz").write_bytes(gzip.compress(model_bytes, mtime=0))
(OUT / "static-embedding.pkl").write_bytes(python2(embedding, 2))
np.save(OUT / "dynamic-embedding.npy", contour, allow_pickle=True)
np.savez_compressed(
    OUT / "mediapipe-embedding.npz",
    lmk_face_idx=embedding["lmk_face_idx"][:20],
    lmk_b_coords=embedding["lmk_b_coords"][:20],
    landmark_indices=np.arange(100, 120),
)
for side in ("l", "r"):
    np.save(OUT / f"{side}_eyelid.npy", (random.normal(size=(count, 3)) * 0.002).astype(np.float32))
obj = ["# a template with texture coordinates of its own", *(f"v {x:.6f} {y:.6f} {z:.6f}" for x, y, z in template)]
obj += [f"vt {u:.6f} {v:.6f}" for u, v in random.uniform(0, 1, (len(faces) * 3, 2))]
order = random.permutation(len(faces))
for at, t in enumerate(order):
    turned = np.roll(faces[t], at % 3)
    obj.append("f " + " ".join(f"{v + 1}/{3 * at + k + 1}" for k, v in enumerate(turned)))
(OUT / "template.obj").write_text("\n".join(obj) + "\n")


def parameters(identities, expressions, size):
    return {
        "identity": random.normal(size=identities) * size,
        "expression": random.normal(size=expressions) * size,
        "jointRotations": random.normal(size=(5, 3)) * 0.4,
        "translation": random.normal(size=3) * 0.2,
    }


def plain(values):
    return {key: value.ravel().tolist() for key, value in values.items()}


samples = []
with tempfile.TemporaryDirectory() as folder:
    (Path(folder) / "FLAME_NEUTRAL.pkl").write_bytes(model_bytes)
    (Path(folder) / "flame_static_embedding.pkl").write_bytes((OUT / "static-embedding.pkl").read_bytes())
    flame = smplx.FLAME(folder, num_betas=300, num_expression_coeffs=100, dtype=torch.float64)
    for _ in range(4):
        given = parameters(300, 100, 0.5)
        t = {key: torch.tensor(value)[None] for key, value in given.items()}
        root, neck, jaw, left, right = t["jointRotations"][0]
        out = flame(
            betas=t["identity"], expression=t["expression"], global_orient=root[None], neck_pose=neck[None],
            jaw_pose=jaw[None], leye_pose=left[None], reye_pose=right[None], transl=t["translation"],
        )
        samples.append({
            **plain(given),
            "vertices": out.vertices[0].detach().numpy().ravel().tolist(),
            "joints": out.joints[0, :5].detach().numpy().ravel().tolist(),
            "landmarks": out.joints[0, 5:].detach().numpy().ravel().tolist(),
        })
goldens = {"samples": samples, "triangleOrder": order.tolist(), "partial": []}

if len(sys.argv) > 1:
    folder = Path(sys.argv[1])
    basis = np.load(folder / "flame_basis.npz")
    read = lambda name, *shape: np.fromfile(folder / f"flame_{name}.bin", np.float32).reshape(shape).astype(float)
    v = torch.tensor(basis["v_template"].astype(float))
    dirs = torch.tensor(basis["shapedirs"].astype(float))
    pose_dirs = torch.tensor(read("posedirs", 36, 3 * 5023))
    joints, skinning = torch.tensor(read("J_regressor", 5, 5023)), torch.tensor(read("weights", 5023, 5))
    probes = np.sin(np.arange(1, 25)[:, None] * np.arange(3 * 5023)[None] * 0.37) / 100
    for _ in range(3):
        given = parameters(60, 0, 1.0)
        pose = torch.tensor(given["jointRotations"].reshape(1, 15))
        shape = torch.tensor(given["identity"])[None]
        vertices, _ = lbs(shape, pose, v[None], dirs, pose_dirs, joints, torch.tensor([-1, 0, 1, 1, 1]), skinning)
        moved = vertices[0].numpy() + given["translation"]
        marks = vertices2landmarks(
            torch.tensor(moved)[None], torch.tensor(basis["faces"].astype(np.int64)),
            torch.tensor(basis["lmk_face_idx"].astype(np.int64))[None], torch.tensor(basis["lmk_b_coords"].astype(float))[None],
        )
        goldens["partial"].append({
            **plain(given), "probes": (probes @ moved.ravel()).tolist(), "landmarkMean": marks[0].mean(0).tolist(),
        })
(OUT / "smplx.json").write_text(json.dumps(goldens) + "\n")
for path in sorted(OUT.iterdir()):
    print(path.name, path.stat().st_size)
