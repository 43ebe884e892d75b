"""Fits what a spike is worth, so that confidence is the probability of being right."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fer_snn.core.readout import Floats, ReadoutCalibration

KAPPAS = np.geomspace(0.01, 20.0, 400)


def fit(rates_hz: Floats, truth: NDArray[np.int64], presentation: float) -> ReadoutCalibration:
    """Return the calibration under which the true labels are most probable (search over a grid).

    Parameters
    ----------
    rates_hz:
        Mean rate of each label's neurons for faces that were not learnt from (faces, labels).
    truth:
        Index of the true label of each (faces).
    presentation:
        Seconds that one presentation lasts.
    """
    evidence = rates_hz * presentation
    evidence = evidence - evidence.max(axis=1, keepdims=True)
    true = evidence[np.arange(len(truth)), truth]
    losses = [
        float((np.log(np.exp(kappa * evidence).sum(axis=1)) - kappa * true).mean())
        for kappa in KAPPAS
    ]
    return ReadoutCalibration(float(KAPPAS[int(np.argmin(losses))]), presentation)
