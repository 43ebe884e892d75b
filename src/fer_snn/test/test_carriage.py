"""Weights files in pieces."""

from __future__ import annotations

from pathlib import Path

import pytest

from fer_common.core.errors import FerError
from fer_snn.core.model import Model
from fer_snn.core.weights import transfer as carriage
from fer_snn.core.weights import weights_file
from fer_snn.core.weights.transfer import CarriageError, Incoming, Outgoing, digest_of
from fer_snn.core.weights.weights_folder import WeightsNameError


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(carriage, "PIECE_BYTES", 1000)


def fetched(outgoing: Outgoing, name: str, model: Model) -> bytes:
    piece = outgoing.first(name, model)
    data, digest, size = piece.data, piece.digest, piece.size
    while len(data) < size:
        data += outgoing.further(digest, len(data)).data
    assert digest_of(data) == digest
    return data


def stored(incoming: Incoming, name: str, data: bytes, digest: str = "") -> str:
    said = ""
    for offset in range(0, len(data), 1000):
        piece = data[offset : offset + 1000]
        said = incoming.add(name, len(data), digest or digest_of(data), offset, piece)
    return said


def test_the_present_weights_arrive_whole(model: Model, tmp_path: Path) -> None:
    data = fetched(Outgoing(tmp_path), "", model)
    assert data == weights_file.to_bytes(model)
    assert stored(Incoming(tmp_path / "there"), "copy", data) == str(tmp_path / "there/copy.npz")
    assert weights_file.load(tmp_path / "there/copy.npz").labels == model.labels


def test_weights_of_a_name_are_those_in_the_folder(model: Model, tmp_path: Path) -> None:
    weights_file.save(model, tmp_path / "taught.npz")
    assert fetched(Outgoing(tmp_path), "taught", model) == (tmp_path / "taught.npz").read_bytes()
    (tmp_path / "bad.npz").write_bytes(b"no weights")
    for name in ("missing", "bad", "../taught"):
        with pytest.raises(FerError):
            Outgoing(tmp_path).first(name, model)


def test_learning_goes_on_while_weights_are_fetched(model: Model, tmp_path: Path) -> None:
    outgoing = Outgoing(tmp_path)
    before = weights_file.to_bytes(model)
    piece = outgoing.first("", model)
    model.stages[0].weights[:] *= 0.5
    data = piece.data
    while len(data) < piece.size:
        data += outgoing.further(piece.digest, len(data)).data
    assert data == before


def test_files_that_nobody_fetches_any_more_are_forgotten(model: Model, tmp_path: Path) -> None:
    outgoing = Outgoing(tmp_path)
    first = outgoing.first("", model)
    for _ in range(2):
        model.stages[0].weights[:] *= 0.5
        outgoing.first("", model)
    with pytest.raises(CarriageError, match="begin with the first"):
        outgoing.further(first.digest, 1000)


def test_nothing_is_written_of_what_is_not_what_it_should_be(model: Model, tmp_path: Path) -> None:
    data = weights_file.to_bytes(model)
    incoming = Incoming(tmp_path)
    with pytest.raises(WeightsNameError):
        stored(incoming, "../elsewhere", data)
    with pytest.raises(WeightsNameError):
        stored(incoming, "default", data)
    with pytest.raises(CarriageError, match="not those that were announced"):
        stored(incoming, "copy", data, digest="0" * 64)
    with pytest.raises(FerError, match="what was carried"):
        stored(incoming, "copy", b"no weights" * 500)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("size", "offset", "data"),
    [
        (0, 0, b""),
        (carriage.MAX_BYTES + 1, 0, b"x"),
        (10, 0, b"x" * 11),
        (10, 5, b"x"),
        (10, 0, b""),
    ],
)
def test_pieces_that_do_not_fit_are_refused(
    tmp_path: Path, size: int, offset: int, data: bytes
) -> None:
    with pytest.raises(CarriageError):
        Incoming(tmp_path).add("copy", size, "digest", offset, data)


def test_a_refusal_forgets_what_came_before(model: Model, tmp_path: Path) -> None:
    data = weights_file.to_bytes(model)
    incoming, digest = Incoming(tmp_path), digest_of(data)
    incoming.add("copy", len(data), digest, 0, data[:1000])
    with pytest.raises(CarriageError):
        incoming.add("copy", len(data), digest, 3000, data[3000:4000])
    with pytest.raises(CarriageError):
        incoming.add("copy", len(data), digest, 1000, data[1000:2000])
    assert stored(incoming, "copy", data).endswith("copy.npz")
