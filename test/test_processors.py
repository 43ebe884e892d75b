"""A picture gives the same spikes on processors of x86-64 with other instructions."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest

FRAMES = 20
PLAIN_NUMPY = "AVX2 FMA3 AVX512F AVX512CD AVX512_SKX X86_V3 X86_V4"
OTHERS = {
    "BLAS of Haswell": {"OPENBLAS_CORETYPE": "Haswell"},
    "BLAS of Nehalem, NumPy and OpenCV without AVX": {
        "OPENCV_CPU_DISABLE": "AVX,AVX2,FMA3,AVX512-SKX",
        "OPENBLAS_CORETYPE": "Nehalem",
        "NPY_DISABLE_CPU_FEATURES": PLAIN_NUMPY,
    },
}
PROGRAM = f"""
import hashlib
from fer_camera.core.sources import open_source
from fer_features.core.pipeline import FeaturePipeline
from fer_snn import FaceInput, FeatureFrame, Recogniser, RecordedLayers
from fer_snn import default_weights_path, load_weights

pipeline, recogniser = FeaturePipeline(), Recogniser(load_weights(default_weights_path()))
seen, heard, faces = hashlib.sha256(), hashlib.sha256(), 0
clip = open_source("demo")
clip.open()
for index in range(1, {FRAMES + 1}):
    stamp_ns = index * 33_333_333
    inputs = []
    for face in pipeline.process(clip.read(), stamp_ns):
        if face.features is not None:
            area = float(face.roi.width * face.roi.height)
            inputs.append(FaceInput(id=face.id, area_px=area, features=face.features))
            seen.update(face.features.tobytes())
    layers = RecordedLayers(spikes=("expression",))
    for face in recogniser.process(FeatureFrame(stamp_ns, inputs, layers)).faces:
        faces += 1
        for layer in face.activity.layers.values():
            heard.update(b"".join(values.tobytes() for values in layer.events()))
print(faces, seen.hexdigest(), heard.hexdigest())
"""

pytestmark = [
    pytest.mark.timeout(180),
    pytest.mark.skipif(platform.machine() != "x86_64", reason="other instructions to switch off"),
]


def answers(**processor: str) -> str:
    """Return hashes of the features and spikes of the demo clip on a processor."""
    command = [sys.executable, "-c", PROGRAM]
    done = subprocess.run(
        command, env=os.environ | processor, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def here() -> str:
    """Answers with all that this processor can do."""
    text = answers()
    assert int(text.split()[0]) >= FRAMES - 2
    return text


@pytest.mark.parametrize("name", OTHERS)
def test_features_and_spikes_are_the_same_on_other_processors(here: str, name: str) -> None:
    assert answers(**OTHERS[name]) == here
