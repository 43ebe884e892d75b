"""Checkpoints: an interrupted training continues, and ends with the same weights."""

from __future__ import annotations

import hashlib
import io
import json
import time
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from fer_common.core.atomic import write_atomically
from fer_common.core.errors import ConfigurationError
from fer_train.local_errors import LocalErrorRule
from fer_train.training_set import TrainingSet

PERIOD_S = 60.0


def digest_of(training_set: TrainingSet, *settings: object) -> str:
    """Return a digest of everything that a training depends on, as hexadecimal digits."""
    digest = hashlib.sha256(repr((training_set.labels, settings)).encode())
    for source in training_set.sources:
        digest.update(np.ascontiguousarray(source.features).data)
        digest.update(np.ascontiguousarray(source.shares).data)
    return digest.hexdigest()


@dataclass
class Checkpoint:
    """The file of a training's state, written once a minute.

    Attributes
    ----------
    digest : what the training depends on, see `digest_of`.
    """

    path: Path
    digest: str
    _written_s: float = field(default_factory=time.monotonic, init=False)

    def save(self, rule: LocalErrorRule, done: int) -> None:
        """Write the state after `done` batches, if the last checkpoint is old enough."""
        if time.monotonic() - self._written_s < PERIOD_S:
            return
        state = json.dumps(
            {"digest": self.digest, "done": done, "rng": rule.rng.bit_generator.state}
        )
        arrays = {f"changes_{k}": change for k, change in enumerate(rule.changes)}
        for k, stage in enumerate(rule.network.model.stages):
            arrays |= {f"weights_{k}": stage.weights, f"theta_{k}": stage.theta}
        buffer = io.BytesIO()
        np.savez(buffer, state=np.frombuffer(state.encode(), np.uint8), **arrays)  # type: ignore[arg-type]
        write_atomically(self.path, buffer.getvalue())
        self._written_s = time.monotonic()

    def restore(self, rule: LocalErrorRule) -> int:
        """Restore the state of a training; return the number of batches that it had learnt.

        Raises
        ------
        ConfigurationError
            if the file is damaged, or of a training with other data or settings.
        """
        try:
            with np.load(self.path, allow_pickle=False) as file:
                arrays = dict(file)
            state = json.loads(arrays["state"].tobytes())
        except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
            raise ConfigurationError(
                f"{self.path} cannot be read ({error}): delete it to start again"
            ) from error
        if state["digest"] != self.digest:
            raise ConfigurationError(
                f"{self.path} is of a training with other pictures or settings: give the same "
                "command to continue it, or delete it to start again"
            )
        for k, stage in enumerate(rule.network.model.stages):
            stage.weights[:] = arrays[f"weights_{k}"]
            stage.theta[:] = arrays[f"theta_{k}"]
        for k, change in enumerate(rule.changes):
            change[:] = arrays[f"changes_{k}"]
        rule.rng.bit_generator.state = state["rng"]
        return int(state["done"])

    def remove(self) -> None:
        """Delete the file, when the training has ended."""
        self.path.unlink(missing_ok=True)
