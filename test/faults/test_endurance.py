"""The long run: `make test-faults ARGS="--endurance 1800"`."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
import psutil
import pytest

from fer_camera.core.sources import demo_path
from fer_faults.graph import NAMESPACE, Up
from fer_faults.ledger import Ledger
from fer_faults.machine import own_mb
from fer_snn.core.synapses.homeostasis import l1_norms
from fer_snn.core.weights import weights_file
from fer_snn.core.weights import weights_folder as models
from fer_testing.ros import wait_for

GROWTH_MB = 5.0
#: Caches, pools and compiled code fill up first.
WARM_UP, WARM_UP_S = 0.2, 12.0
#: Longer than the period of autosaves.
AUTOSAVE_S, SAMPLED_S = 5.0, 8.0

pytestmark = pytest.mark.timeout(4 * 3600)


def clip_with_nonsense(path: Path) -> None:
    """Write the demo clip with black, white and noisy frames among its own."""
    source = cv2.VideoCapture(str(demo_path()))
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 30.0, (640, 480))
    draw = np.random.default_rng(1)
    number = 0
    while True:
        read, picture = source.read()
        if not read:
            break
        shown = {
            20: np.zeros_like(picture),
            40: np.full_like(picture, 255),
            60: draw.integers(0, 256, picture.shape, dtype=np.uint8),
        }
        writer.write(shown.get(number % 61, picture))
        number += 1
    writer.release()
    source.release()


def least_mb(nodes: Mapping[str, psutil.Process]) -> dict[str, float]:
    """Return the least memory of its own that each node holds for a while.

    What a save needs while it lasts is no leak.
    """
    least = dict.fromkeys(nodes, math.inf)
    until_s = time.monotonic() + SAMPLED_S
    while time.monotonic() < until_s:
        for name, process in nodes.items():
            least[name] = min(least[name], own_mb(process.pid))
        time.sleep(0.2)
    return least


def test_memory_stays_flat_and_weights_stay_sound(
    up: Up, ledger: Ledger, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    duration_s = request.config.getoption("--endurance")
    if not duration_s:
        pytest.skip("the long run: --endurance SECONDS")
    clip = tmp_path / "clip.mp4"
    clip_with_nonsense(clip)
    learning = {"learning": "unsupervised", "autosave": AUTOSAVE_S, "weights_dir": str(tmp_path)}
    with ledger.trial("black, white and noisy frames at 30 Hz"):
        # The last --source counts.
        up.start("--source", str(clip), parameters={"snn": learning})
        up.wait_for_expressions(30)
        begin_s = time.monotonic()
        warm_up_s = max(WARM_UP * duration_s, WARM_UP_S)
        time.sleep(warm_up_s)
        nodes = up.nodes()
        before = least_mb(nodes)
        time.sleep(max(duration_s - warm_up_s, 1.0))
        growth = {name: held - before[name] for name, held in least_mb(nodes).items()}
        answers, elapsed_s = len(up.expressions), time.monotonic() - begin_s
        note = ", ".join(f"{name} {value:+.1f} MB" for name, value in growth.items())
        ledger.note(
            "black, white and noisy frames at 30 Hz",
            f"{elapsed_s / 60:.0f} min, {answers} answers; {note} after the first "
            f"{warm_up_s:.0f} s",
        )
        assert {name: p.pid for name, p in up.nodes().items()} == {
            name: p.pid for name, p in nodes.items()
        }
        assert max(growth.values()) <= GROWTH_MB, note
        assert answers >= 0.5 * 30 * elapsed_s
        facts = up.health.facts(f"{NAMESPACE}/snn")
        assert int(facts["weights_version"]) > 0
        wait_for((tmp_path / "autosave.npz").is_file, "an autosave")
        assert up.end()[0] == 0
    check_weights(tmp_path / "autosave.npz")


def check_weights(path: Path) -> None:
    learnt, first = weights_file.load(path), weights_file.load(models.default_path())
    for stage, stage_before in zip(learnt.stages, first.stages, strict=True):
        assert np.isfinite(stage.weights).all()
        assert np.isfinite(stage.theta).all()
        bounds = np.abs(stage_before.weights).max()
        assert np.abs(stage.weights).max() <= max(1.0, 2.0 * bounds)
        norms = [
            np.concatenate([l1_norms(block) for _, block in s.wiring.blocks(s.weights)])
            for s in (stage, stage_before)
        ]
        assert norms[0].max() <= 1.01 * norms[1].max()
