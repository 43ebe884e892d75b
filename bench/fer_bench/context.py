"""What a run of the benchmarks has: how long it may take, where the peers are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from fer_bench.peers import PeerEnvironment


@dataclass(frozen=True)
class Context:
    """How thorough a run is, and with what.

    Attributes
    ----------
    root : of the repository.
    rounds : turns of every contestant.
    least_s : CPU time of a turn, at least.
    run_s : how long the whole graph is watched.
    peers : environment of the peers, None to do without them.
    """

    root: Path
    rounds: int = 7
    least_s: float = 0.05
    run_s: float = 60.0
    peers: PeerEnvironment | None = None

    @property
    def short_run_s(self) -> float:
        """How long the whole graph is watched at each point of a curve."""
        return self.run_s / 6
