"""A minute of a still crowd, larger than the number of faces that are followed.

    ./fer exec sh -c 'PYTHONPATH=bench:test/fer_testing:$PYTHONPATH python3 -m fer_bench.crowds'

The largest heads, as many as are followed, must be among those followed after three seconds, and
nobody may get a new id from then on.
"""

from __future__ import annotations

import time

import cv2
import numpy as np

from fer_testing.crowds import crowd, watch
from fer_testing.heads import Stage

RATE_HZ = 30
SETTLED_S, WATCHED_S = 3, 60
FOLLOWED = 8
CROWDS = ((8, 640, 480, 70), (9, 640, 480, 70), (20, 1280, 720, 80), (50, 1280, 720, 80))
"""Number of heads, size of the picture, and width of the smaller faces, px."""
LARGER = 1.3


def main() -> None:
    """Measure, and print a line for each crowd."""
    cv2.setNumThreads(1)
    for people, width, height, size in CROWDS:
        rng = np.random.default_rng(people)
        large = sorted(rng.permutation(people)[:FOLLOWED].tolist())
        heads = crowd(people, width, height, size, large, LARGER)
        picture = Stage(width, height).picture(heads)
        begin = time.process_time()
        seen = watch(picture, heads, WATCHED_S * RATE_HZ, FOLLOWED)
        cpu_ms = 1e3 * (time.process_time() - begin) / len(seen)
        settled = seen[SETTLED_S * RATE_HZ :]
        known = {number for frame in seen[: SETTLED_S * RATE_HZ] for number in frame.ids}
        later = {number for frame in settled for number in frame.ids} - known
        runs = np.array([frame.detector_runs for frame in seen])
        print(
            f"{people} heads, {width}x{height}: {len(known)} ids in {SETTLED_S} s, {len(later)} "
            f"afterwards; the {FOLLOWED} largest followed in "
            f"{np.mean([frame.heads == large for frame in settled]):.1%} of the frames; runs of "
            f"the detector per frame {runs.mean():.2f} (most {runs.max()}); {cpu_ms:.1f} ms a frame"
        )


if __name__ == "__main__":
    main()
