"""Compare a network with its NIR graph in Brian2, on pictures of faces.

./fer exec sh -c 'cd bench && python3 -m fer_bench.nir_agreement FOLDER [WEIGHTS]'

FOLDER holds one folder of pictures for each label. 100 of each are taken by chance (seed 0).
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from fer_bench.peers import PeerEnvironment
from fer_snn import Network, default_weights_path, load_weights
from fer_snn.core.neurons import encoding
from fer_snn.core.readout import label_means
from fer_train import dataset, faces
from fer_train.faces import CropParameters
from fer_train.jobs import Jobs
from fer_train.nir_graph import own_parameters, to_bytes

ROOT = Path(__file__).resolve().parents[2]
EACH = 100


def main() -> None:
    """Print the agreement and the number of spikes of each layer."""
    folder, *rest = map(Path, sys.argv[1:])
    weights = rest[0] if rest else default_weights_path()
    rng = np.random.default_rng(0)
    found = dataset.find(folder)
    chosen = [
        pictures[k]
        for label in sorted({picture.label for picture in found})
        for pictures in [[picture for picture in found if picture.label == label]]
        for k in rng.permutation(len(pictures))[:EACH]
    ]
    with Jobs(1) as jobs:
        read = faces.load(chosen, CropParameters(), jobs)
        features = faces.features_of(read.crops[:, 0], jobs)
    model = load_weights(weights)
    parameters = own_parameters(model)
    steps = parameters.steps(model.calibration.presentation)
    network = Network(model, parameters)
    counts = [network.present(face, steps).counts for face in features]
    rheobase = parameters.lif.rheobase
    currents = [encoding.currents(f.ravel(), model.statistics, rheobase) for f in features]
    with tempfile.TemporaryDirectory() as name:
        graph, case, result = (Path(name, file) for file in ("graph.nir", "case.npz", "result.npz"))
        graph.write_bytes(to_bytes(model))
        np.savez(case, dt=parameters.dt, steps=steps, currents=np.array(currents))
        peer = Path(__file__).with_name("nir_peer.py")
        command = [PeerEnvironment(ROOT).python, peer, graph, case, result]
        subprocess.run(command, check=True)
        theirs = dict(np.load(result))
    for k, layer in enumerate(network.layer_names):
        ours = sum(int(count[k].sum()) for count in counts)
        print(f"{layer}: {ours} spikes in fer, {theirs[layer].sum()} in Brian2")
    labels = [
        label_means(spikes, model.neuron_label, len(model.labels)).argmax(axis=-1)
        for spikes in (np.array([count[-1] for count in counts]), theirs[network.layer_names[-1]])
    ]
    print(f"the same label for {(labels[0] == labels[1]).mean():.3f} of {len(features)} faces")


if __name__ == "__main__":
    main()
