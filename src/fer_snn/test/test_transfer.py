"""Weights files in pieces."""

from __future__ import annotations

from pathlib import Path

import pytest

from fer_common.core.errors import FerError
from fer_snn.core.model import Model
from fer_snn.core.weights import transfer, weights_file
from fer_snn.core.weights.transfer import Downloads, TransferError, Upload, digest_of
from fer_snn.core.weights.weights_folder import WeightsNameError


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfer, "PIECE_BYTES", 1000)


def fetched(downloads: Downloads, name: str, model: Model) -> bytes:
    piece = downloads.first_piece(name, model)
    data, digest, size = piece.data, piece.digest, piece.size
    while len(data) < size:
        data += downloads.piece(digest, len(data)).data
    assert digest_of(data) == digest
    return data


def stored(upload: Upload, name: str, data: bytes, digest: str = "") -> str:
    said = ""
    for offset in range(0, len(data), 1000):
        piece = data[offset : offset + 1000]
        said = upload.add(name, len(data), digest or digest_of(data), offset, piece)
    return said


def test_the_present_weights_arrive_whole(model: Model, tmp_path: Path) -> None:
    data = fetched(Downloads(tmp_path), "", model)
    assert data == weights_file.to_bytes(model)
    assert stored(Upload(tmp_path / "there"), "copy", data) == str(tmp_path / "there/copy.npz")
    assert weights_file.load(tmp_path / "there/copy.npz").labels == model.labels


def test_weights_of_a_name_are_those_in_the_folder(model: Model, tmp_path: Path) -> None:
    weights_file.save(model, tmp_path / "taught.npz")
    assert fetched(Downloads(tmp_path), "taught", model) == (tmp_path / "taught.npz").read_bytes()
    (tmp_path / "bad.npz").write_bytes(b"no weights")
    for name in ("missing", "bad", "../taught"):
        with pytest.raises(FerError):
            Downloads(tmp_path).first_piece(name, model)


def test_learning_goes_on_while_weights_are_fetched(model: Model, tmp_path: Path) -> None:
    downloads = Downloads(tmp_path)
    before = weights_file.to_bytes(model)
    piece = downloads.first_piece("", model)
    model.stages[0].weights[:] *= 0.5
    data = piece.data
    while len(data) < piece.size:
        data += downloads.piece(piece.digest, len(data)).data
    assert data == before


def test_files_that_nobody_fetches_any_more_are_forgotten(model: Model, tmp_path: Path) -> None:
    downloads = Downloads(tmp_path)
    first = downloads.first_piece("", model)
    for _ in range(2):
        model.stages[0].weights[:] *= 0.5
        downloads.first_piece("", model)
    with pytest.raises(TransferError, match="start again with the first"):
        downloads.piece(first.digest, 1000)


def test_nothing_is_written_of_what_is_not_what_it_should_be(model: Model, tmp_path: Path) -> None:
    data = weights_file.to_bytes(model)
    upload = Upload(tmp_path)
    with pytest.raises(WeightsNameError):
        stored(upload, "../elsewhere", data)
    with pytest.raises(WeightsNameError):
        stored(upload, "default", data)
    with pytest.raises(TransferError, match="differ from what was announced"):
        stored(upload, "copy", data, digest="0" * 64)
    with pytest.raises(FerError, match="the transferred file"):
        stored(upload, "copy", b"no weights" * 500)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("size", "offset", "data"),
    [
        (0, 0, b""),
        (transfer.MAX_BYTES + 1, 0, b"x"),
        (10, 0, b"x" * 11),
        (10, 5, b"x"),
        (10, 0, b""),
    ],
)
def test_pieces_that_do_not_fit_are_refused(
    tmp_path: Path, size: int, offset: int, data: bytes
) -> None:
    with pytest.raises(TransferError):
        Upload(tmp_path).add("copy", size, "digest", offset, data)


def test_a_refusal_forgets_what_came_before(model: Model, tmp_path: Path) -> None:
    data = weights_file.to_bytes(model)
    upload, digest = Upload(tmp_path), digest_of(data)
    upload.add("copy", len(data), digest, 0, data[:1000])
    with pytest.raises(TransferError):
        upload.add("copy", len(data), digest, 3000, data[3000:4000])
    with pytest.raises(TransferError):
        upload.add("copy", len(data), digest, 1000, data[1000:2000])
    assert stored(upload, "copy", data).endswith("copy.npz")
