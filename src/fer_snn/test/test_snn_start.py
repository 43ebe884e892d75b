"""What keeps the node from starting."""

from __future__ import annotations

from pathlib import Path

import pytest

from fer_testing.ros import Graph, ros_arguments


@pytest.mark.parametrize("content", [b"text", None])
def test_start_without_usable_weights_is_refused(
    ros_domain: int, tmp_path: Path, content: bytes | None
) -> None:
    graph = Graph(ros_domain)
    try:
        path = tmp_path / "bad.npz"
        if content is not None:
            path.write_bytes(content)
        process = graph.start("fer_snn.ros.node", *ros_arguments(weights=path))
        output, _ = process.communicate(timeout=20)
        assert process.returncode == 2
        assert "bad.npz" in output and "Traceback" not in output
    finally:
        graph.close()
