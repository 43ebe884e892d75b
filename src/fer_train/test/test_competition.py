"""Competing neurons: what they come to stand for, what holds meanwhile."""

from __future__ import annotations

import numpy as np

from fer_snn.core.neurons.lif import Float32s
from fer_train.competition import Competition, CompetitionParameters
from fer_train.progress import no_progress

S_TARGET = 10.0
FOUR = CompetitionParameters(column=4, tau_theta=50.0)


def two_causes(n: int = 200, seed: int = 0) -> Float32s:
    """Return examples (n, 8, 1) of two causes, one in the first inputs and one in the last."""
    rng = np.random.default_rng(seed)
    examples = rng.normal(0, 0.3, (n, 8, 1))
    examples[::2, :4] += 3
    examples[1::2, 4:] += 3
    return (examples - examples.mean(axis=0)).astype(np.float32)


def competition(seed: int = 0) -> Competition:
    return Competition(two_causes(), FOUR, np.random.default_rng(seed))


def test_every_cause_gets_a_neuron_of_its_own() -> None:
    learnt = competition()
    learnt.learn(3000, no_progress)
    (tuned,) = learnt.tuned()
    driven = learnt.inputs[:, :, 0] @ tuned
    first, second = driven[::2].mean(axis=0), driven[1::2].mean(axis=0)
    assert first.argmax() != second.argmax()
    # At least half as strongly as with all of its weight where it belongs.
    whole = np.abs(learnt.inputs[:, :, 0]).sum(axis=1).mean() * S_TARGET / 8
    assert min(first.max(), second.max()) > 0.5 * whole


def test_learning_holds_norms_and_bounds_and_is_the_same_for_the_same_seed() -> None:
    results = []
    for _ in range(2):
        learnt = competition(seed=3)
        before = learnt.network.model.stages[0].weights.copy()
        learnt.learn(50, no_progress)
        weights = learnt.network.model.stages[0].weights
        assert (weights != before).any()
        assert np.isfinite(weights).all()
        assert (weights >= 0).all()
        np.testing.assert_allclose(weights.sum(axis=0), S_TARGET, rtol=1e-4)
        results.append(weights)
    np.testing.assert_array_equal(*results)


def test_without_presentations_weights_stay_random() -> None:
    blank, other = competition(), competition()
    blank.learn(0, no_progress)
    np.testing.assert_array_equal(blank.tuned()[0], other.tuned()[0])
