"""MediaPipe's own Face Landmarker on frames of raw RGB: landmarks and blend shape scores as JSON.

pip install -r mediapipe_faces.requirements.txt
python mediapipe_faces.py MODEL.task FRAMES.rgb WIDTH HEIGHT > faces.json
"""

import json
import sys

import mediapipe as mp
import numpy as np
from mediapipe.tasks import python
from mediapipe.tasks.python import vision

model, path, width, height = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
frames = np.fromfile(path, np.uint8).reshape(-1, height, width, 3)
options = vision.FaceLandmarkerOptions(
    base_options=python.BaseOptions(model_asset_path=model), output_face_blendshapes=True, num_faces=1
)
faces = []
with vision.FaceLandmarker.create_from_options(options) as landmarker:
    for frame in frames:
        image = mp.Image(image_format=mp.ImageFormat.SRGB, data=np.ascontiguousarray(frame))
        result = landmarker.detect(image)
        if not result.face_landmarks:
            faces.append(None)
            continue
        points = [[p.x * width, p.y * height] for p in result.face_landmarks[0]]
        scores = {s.category_name: s.score for s in result.face_blendshapes[0]}
        faces.append({"landmarksPx": points, "scores": scores})
json.dump(faces, sys.stdout)
