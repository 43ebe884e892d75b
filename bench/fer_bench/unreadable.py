"""How often pictures without an expression to read are refused, by kind: taught, and untaught.

    ./fer exec sh -c 'cd bench && exec python3 -m fer_bench.unreadable FOLDER'

FOLDER holds pictures of faces that nobody taught. Pictures of each kind are made of them, or drawn.
"""

from __future__ import annotations

import argparse
import itertools
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import cv2
import numpy as np

from fer_snn.core import familiarity
from fer_snn.core.neurons.lif import Float32s
from fer_testing import untaught
from fer_train.drawings import DRAWINGS, Picture
from fer_train.familiarity import MADE_OF_FACES, Collector, enlarged
from fer_train.unreadable import Spoilt

TAUGHT, UNTAUGHT = (MADE_OF_FACES, DRAWINGS), (untaught.FROM_FACES, untaught.DRAWN)
EACH = 4
"""Kinds that are made of each picture."""
FACES = "faces as they are"


def seen(
    collector: Collector,
    folder: Path,
    limit: int,
    spoilt: Mapping[str, Spoilt],
    drawn: Mapping[str, Callable[[np.random.Generator], Picture]],
) -> Iterator[tuple[str, Float32s | None]]:
    """Yield the kind of a picture and the features (channels, rows, columns) that are seen in it.

    Parameters
    ----------
    limit : number of pictures of the folder.
    spoilt, drawn : what is made of them, and what is drawn, by kind.
    """
    rng, names = np.random.default_rng(0), itertools.cycle(spoilt)
    for _, picture, face in collector.folder(folder, limit):
        yield FACES, face.features
        if len(face.landmarks_px):
            large, landmarks_px = enlarged(picture, face.landmarks_px)
            for name in itertools.islice(names, EACH):
                yield name, collector.look(spoilt[name](large, landmarks_px, rng)).features
    for name, draw in drawn.items():
        for _ in range(EACH * limit // len(spoilt)):
            yield name, collector.look(draw(rng)).features


def main() -> None:
    """Measure, and print a line for each kind."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python3 -m fer_bench.unreadable")
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="pictures of faces")
    parser.add_argument("--neurons", type=Path, default=familiarity.PATH, metavar="NPZ")
    parser.add_argument("--limit", type=int, default=200, metavar="N", help="faces of the folder")
    given = parser.parse_args()
    cv2.setNumThreads(1)
    neurons, collector = familiarity.load(given.neurons), Collector()
    for title, kinds in (("taught", TAUGHT), ("not taught", UNTAUGHT)):
        maps = defaultdict(list)
        for name, features in seen(collector, given.folder, given.limit, *kinds):
            if features is not None:
                maps[name].append(features)
        for name, found in maps.items():
            refused = (neurons.fits(np.stack(found)) < 0).mean()
            print(f"{title}: {name}: {refused:.0%} of {len(found)} undecided", flush=True)


if __name__ == "__main__":
    main()
