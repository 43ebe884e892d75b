"""The last moments of every face: what stays, what goes, and how pieces join."""

from __future__ import annotations

import numpy as np

from fer_viz.core.history import MAX_FACES, FaceHistories, PotentialFrame, SpikeFrame

MS = 1_000_000


def potentials(start_ms: int, steps: int = 33, neurons: int = 2, level_v: float = -0.07):
    return PotentialFrame(
        end_ns=(start_ms + steps) * MS,
        dt_s=0.001,
        potential_v=np.full((steps, neurons), level_v, np.float32),
        threshold_v=np.full(neurons, -0.05, np.float32),
        v_rest_v=-0.07,
        v_reset_v=-0.075,
    )


def spikes(start_ms: int, step: list[int], neuron: list[int], size: int = 2, steps: int = 33):
    end_ns = (start_ms + steps) * MS
    return SpikeFrame(end_ns, 0.001, steps, np.array(step), np.array(neuron), size)


def test_frames_join_into_one_axis() -> None:
    history = FaceHistories(1.0)
    for start_ms in (0, 33, 66):
        history.face(1).potentials.add(potentials(start_ms))
        history.face(1).spikes.add(spikes(start_ms, [0, 32], [0, 1]))
    traces, raster = history.face(1).window(1.0)
    assert traces is not None and raster is not None
    assert traces.potential_v.shape == (99, 2)
    # The last step has the time of the stamp, where the axis ends.
    np.testing.assert_allclose(traces.time_s, np.arange(-98, 1) * 1e-3, atol=1e-12)
    expected_s = np.array([-98, -66, -65, -33, -32, 0]) * 1e-3
    np.testing.assert_allclose(raster.time_s, expected_s, atol=1e-12)
    assert raster.neuron.tolist() == [0, 1] * 3


def test_a_gap_is_marked() -> None:
    history = FaceHistories(1.0)
    history.face(1).potentials.add(potentials(0))
    history.face(1).potentials.add(potentials(200))
    traces, _ = history.face(1).window(1.0)
    assert traces is not None
    assert np.flatnonzero(np.isnan(traces.potential_v[:, 0])).tolist() == [33]
    history.face(1).spikes.add(spikes(0, [1], [0]))
    history.face(1).spikes.add(spikes(200, [1], [0]))
    _, raster = history.face(1).window(1.0)
    assert raster is not None
    np.testing.assert_allclose(raster.gaps_s, [[-0.2, -0.033]], atol=1e-12)


def test_a_glance_begins_where_all_neurons_are_at_rest() -> None:
    history = FaceHistories(1.0)
    for start_ms, level_v in ((0, -0.07), (33, -0.06), (66, -0.07)):
        history.face(1).potentials.add(potentials(start_ms, level_v=level_v))
    traces, _ = history.face(1).window(1.0)
    assert traces is not None
    np.testing.assert_allclose(traces.glances_s, [-0.099, -0.033], atol=1e-12)


def test_a_stamp_that_jitters_by_a_step_is_no_gap() -> None:
    history = FaceHistories(1.0)
    history.face(1).potentials.add(potentials(0))
    history.face(1).potentials.add(potentials(34))
    traces, _ = history.face(1).window(1.0)
    assert traces is not None and np.isfinite(traces.potential_v).all()


def test_only_the_span_is_remembered() -> None:
    history = FaceHistories(1.0)
    for start_ms in range(0, 10_000, 33):
        history.face(1).potentials.add(potentials(start_ms))
        history.face(1).spikes.add(spikes(start_ms, [1], [0]))
        history.face(1).feature_spikes.add(spikes(start_ms, [1], [0]))
    log = history.face(1)
    assert all(len(kind) <= 33 for kind in (log.potentials, log.spikes, log.feature_spikes))
    traces, raster = history.face(1).window(0.5)
    assert traces is not None and raster is not None
    assert -0.54 < traces.time_s[0] <= -0.5
    assert 15 <= len(raster.time_s) <= 16


def test_a_stamp_that_jumps_back_begins_again() -> None:
    history = FaceHistories(1.0)
    history.face(1).potentials.add(potentials(5000))
    history.face(1).potentials.add(potentials(5033))
    history.face(1).potentials.add(potentials(0, level_v=-0.06))
    traces, _ = history.face(1).window(1.0)
    assert traces is not None
    assert traces.potential_v.shape == (33, 2)
    assert np.all(traces.potential_v == np.float32(-0.06))


def test_another_number_of_neurons_begins_again() -> None:
    history = FaceHistories(1.0)
    history.face(1).potentials.add(potentials(0, neurons=3))
    history.face(1).potentials.add(potentials(33, neurons=5))
    history.face(1).spikes.add(spikes(0, [1], [2], size=3))
    history.face(1).spikes.add(spikes(33, [1], [4], size=5))
    traces, raster = history.face(1).window(1.0)
    assert traces is not None and traces.potential_v.shape == (33, 5)
    assert raster is not None and (raster.size, raster.neuron.tolist()) == (5, [4])


def test_faces_are_apart_and_bounded() -> None:
    history = FaceHistories(1.0)
    for face_id in range(1, MAX_FACES + 11):
        history.face(face_id).potentials.add(potentials(0, level_v=-0.001 * face_id))
    assert tuple(history) == tuple(range(11, MAX_FACES + 11))
    traces, raster = history.face(12).window(1.0)
    assert traces is not None and raster is None
    assert np.all(traces.potential_v == np.float32(-0.012))
    assert history.get(1) is None


def test_a_longer_span_holds_from_now_on() -> None:
    history = FaceHistories(0.1)
    for start_ms in range(0, 330, 33):
        history.face(1).potentials.add(potentials(start_ms))
    assert len(history.face(1).potentials) <= 4
    history.set_span(1.0)
    for start_ms in range(330, 660, 33):
        history.face(1).potentials.add(potentials(start_ms))
    assert len(history.face(1).potentials) >= 13
