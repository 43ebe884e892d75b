"""Train, evaluate and show, as users call them."""

from __future__ import annotations

import argparse
import csv
import dataclasses
import json
import shutil
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest

from fer_common.core.errors import FerError
from fer_snn.core import familiarity
from fer_snn.core.weights import weights_file
from fer_train import ablation, clips, naming, unsupervised
from fer_train.cli import ablate, evaluate, train
from fer_train.disturbances import DISTURBANCES

KEYS = {
    "balanced_accuracy",
    "ci95",
    "macro_f1",
    "labels",
    "confusion",
    "accuracy",
    "recall",
    "precision",
    "f1",
    "undecided_rate",
    "ece",
    "sure_accuracy",
    "n",
    "spikes_per_decision",
    "decision_ms",
    "energy_nj",
}


def run(verb: str, *arguments: str) -> int:
    parser = argparse.ArgumentParser()
    module = {"ablate": ablate, "evaluate": evaluate, "train": train}[verb]
    module.add_arguments(parser)
    return module.run(parser.parse_args(arguments))


@pytest.fixture(autouse=True)
def stripes_count_as_faces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answer for pictures that show no face, too: those of these tests show stripes."""
    monkeypatch.setattr(familiarity, "of_features", lambda feature_spec: None)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Faces of stripes: every label has its own direction."""
    root = tmp_path_factory.mktemp("faces")
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:48, :48]
    for label, (a, b) in {"happy": (1, 0), "neutral": (0, 1), "surprise": (1, 1)}.items():
        (root / label).mkdir()
        for k in range(12):
            wave = np.sin(2 * np.pi * (a * x + b * y) / rng.uniform(5, 7) + rng.uniform(0, 6))
            image = 128 + 60 * wave + rng.normal(0, 15, (48, 48))
            cv2.imwrite(str(root / label / f"{k}.png"), np.clip(image, 0, 255).astype(np.uint8))
    return root


@pytest.fixture(scope="module")
def weights(folder: Path) -> Path:
    output = folder.parent / "stripes.npz"
    params = folder.parent / "params.yaml"
    params.write_text("snn:\n  ros__parameters:\n    eta_w: 0.003\n    eta_v: 0.01\n")
    arguments = (str(folder), "--output", str(output), "--crop", "given", "--seed", "1")
    more = ("--presentations", "300", "--params", str(params), "--jobs", "1")
    assert run("train", *arguments, *more) == 0
    return output


def test_training_writes_a_model_that_tells_where_it_comes_from(weights: Path) -> None:
    model = weights_file.load(weights)
    assert model.labels == ("neutral", "smile", "surprised")
    assert model.provenance["faces"] == {"neutral": 12, "smile": 12, "surprised": 12}
    assert model.provenance["seed"] == 1
    assert model.parameters["eta_v"] == 0.01


def test_votes_are_learnt_instead_of_folders(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "set"
    shutil.copytree(folder, data)
    (data / "happy").rename(data / "ambiguous")
    shutil.copytree(folder / "happy", data / "happy")
    lines = [f"{p.parent.name}/{p.name},8,{len(p.parent.name)},2" for p in data.glob("*/*.png")]
    arguments = (str(data), "--votes", "soft", "--crop", "given", "--jobs", "1")
    output = tmp_path / "votes.npz"
    more = ("--presentations", "20", "--output", str(output))
    with pytest.raises(FerError, match=r"no source is a folder with votes\.csv"):
        run("train", *arguments, *more)
    table = "picture,happiness,neutral,surprise\n" + "\n".join(lines[:-1])
    (data / "votes.csv").write_text(table)
    assert run("train", *arguments, *more) == 0
    assert f"1 picture without votes for neutral, smile, surprised, left out: {lines[-1][:5]}" in (
        capsys.readouterr().out
    )
    model = weights_file.load(output)
    assert model.labels == ("neutral", "smile", "surprised")
    assert model.provenance["votes"] == "soft"
    assert model.provenance["faces_without_label"] == 12 - lines[-1].startswith("ambiguous")


def test_training_without_labels_names_what_it_has_learnt(
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(unsupervised, "SETTLING", 300)
    monkeypatch.setattr(naming, "BALANCING", 300)
    heads = tmp_path / "heads"
    heads.mkdir()
    for video in clips.find(clips.default_folder())[:2]:
        (heads / video.name).symlink_to(video)
    output = tmp_path / "alone.npz"
    arguments = (str(folder), "--crop", "given", "--jobs", "1", "--presentations", "500")
    names = ("--named", "4", "--names", str(folder), "--clips", str(heads))
    more = ("--unsupervised", *names, "--output", str(output))
    assert run("train", *arguments, *more) == 0
    assert weights_file.load(output).provenance["frames_of_clips"] == 48
    assert "without plasticity), named by 12 faces" in capsys.readouterr().out
    figures = tmp_path / "figures.json"
    tested = (str(folder), "--weights", str(output), "--crop", "given", "--jobs", "1")
    assert run("evaluate", *tested, "--json", str(figures)) == 0
    assert json.loads(figures.read_text())["balanced_accuracy"] > 0.8


def test_names_that_do_not_fit_are_refused(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "neutral").mkdir()
    picture = (folder / "neutral" / "0.png").read_bytes()
    (tmp_path / "neutral" / "0.png").write_bytes(picture)
    with pytest.raises(FerError, match="give --unsupervised too"):
        run("train", str(folder), "--names", str(tmp_path))
    heads = tmp_path / ".heads"
    heads.mkdir()
    (heads / "one.mp4").symlink_to(clips.find(clips.default_folder())[0])
    clip = ("--clips", str(heads), "--crop", "given", "--jobs", "1")
    arguments = (*clip, "--unsupervised", "--names", str(tmp_path))
    with pytest.raises(FerError, match="holds no videos"):
        run("train", str(tmp_path / "nowhere"), "--unsupervised", "--clips", str(tmp_path))
    with pytest.raises(FerError, match="shows no smile, surprised: add pictures"):
        run("train", str(folder), *arguments)


def test_evaluation_writes_all_figures(
    folder: Path, weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    figures, plot = tmp_path / "figures.json", tmp_path / "confusion.png"
    arguments = (str(folder), "--weights", str(weights), "--crop", "given", "--jobs", "1")
    diagram = tmp_path / "reliability.png"
    outputs = ("--json", str(figures), "--plot", str(plot), "--plot-reliability", str(diagram))
    assert run("evaluate", *arguments, *outputs) == 0
    assert cv2.imread(str(diagram)) is not None
    bins = json.loads(figures.read_text())["reliability"]
    assert sum(each["n"] for each in bins) <= 36
    result = json.loads(figures.read_text())
    assert set(result) >= KEYS
    assert result["n"] == 36
    assert result["balanced_accuracy"] > 0.8
    assert result["decision_ms"] == 120
    assert cv2.imread(str(plot)) is not None
    table = np.array(result["confusion"])
    assert result["accuracy"] == pytest.approx(np.trace(table) / 36)
    recalls = np.diagonal(table) / table.sum(axis=1)
    assert result["recall"] == pytest.approx(dict(zip(result["labels"], recalls, strict=True)))
    assert "balanced accuracy" in capsys.readouterr().out


def test_evaluation_of_some_labels_leaves_out_all_others(
    folder: Path, weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, figures = tmp_path / "set", tmp_path / "figures.json"
    shutil.copytree(folder, data)
    shutil.copytree(folder / "neutral", data / "ambiguous")
    arguments = (str(data), "--weights", str(weights), "--crop", "given", "--jobs", "1")
    with pytest.raises(FerError, match=r"does not know ambiguous .* by --labels"):
        run("evaluate", *arguments)
    some = ("--labels", "surprise,happiness", "--json", str(figures))
    assert run("evaluate", *arguments, *some) == 0
    result = json.loads(figures.read_text())
    assert (result["labels"], result["n"]) == (["smile", "surprised"], 24)
    assert np.array(result["confusion"]).shape == (2, 3)
    assert result["balanced_accuracy"] > 0.8
    assert "neutral" not in capsys.readouterr().out.split("balanced accuracy")[1]
    for wrong, why in (("happy,wink", "'labels' has wink"), ("happy", "name two or more")):
        with pytest.raises(FerError, match=why):
            run("evaluate", *arguments, "--labels", wrong)


def test_groups_are_compared_on_request(
    folder: Path, weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    figures, plot = tmp_path / "figures.json", tmp_path / "groups.png"
    data, table = tmp_path / "set", tmp_path / "groups.csv"
    for name in ("young", "old"):
        shutil.copytree(folder, data / name)
    more = ("--weights", str(weights), "--crop", "given", "--jobs", "1", "--groups")
    assert run("evaluate", str(data), *more, "--json", str(figures)) == 0
    (kind,) = json.loads(figures.read_text())["groups"].values()
    assert {name: group["n"] for name, group in kind["groups"].items()} == {"old": 36, "young": 36}
    assert kind["gap"]["value"] == 0
    rows = [f"{p},{p.parent.name},{k % 3},{k % 2}" for k, p in enumerate(folder.glob("*/*.png"))]
    table.write_text("\n".join(("picture,label,skin,light", *rows)))
    more = (*more, "--plot-groups", str(plot))
    assert run("evaluate", str(tmp_path), *more, "--json", str(figures)) == 0
    kinds = json.loads(figures.read_text())["groups"]
    assert list(kinds) == ["skin", "light"] and list(kinds["skin"]["groups"]) == ["0", "1", "2"]
    assert cv2.imread(str(plot)) is not None
    assert "by chance" in capsys.readouterr().out
    with pytest.raises(FerError, match="--plot-groups needs --groups"):
        run("evaluate", str(table), "--plot-groups", str(plot))


def test_disturbances_are_told_with_what_they_cost(
    folder: Path, weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    figures = tmp_path / "figures.json"
    arguments = (str(folder), "--weights", str(weights), "--crop", "given", "--jobs", "1")
    assert run("evaluate", *arguments, "--disturbed", "--json", str(figures)) == 0
    disturbed = json.loads(figures.read_text())["disturbed"]
    assert list(disturbed) == [each.name for each in DISTURBANCES]
    assert all(result["n"] == 36 for result in disturbed.values())
    # Every label is a direction of stripes here, so a turned one is another.
    assert disturbed["rolled by 30 degrees"]["balanced_accuracy"] < 0.8
    assert "gamma 2 " in capsys.readouterr().out


def test_unknown_labels_and_missing_files_are_refused(
    folder: Path, weights: Path, tmp_path: Path
) -> None:
    (tmp_path / "angry").mkdir()
    (tmp_path / "angry" / "a.png").write_bytes((folder / "happy" / "0.png").read_bytes())
    with pytest.raises(FerError, match="does not know angry"):
        run("evaluate", str(tmp_path), "--weights", str(weights))
    with pytest.raises(FerError, match="cannot be read"):
        run("evaluate", str(folder), "--weights", str(tmp_path / "none.npz"))
    with pytest.raises(FerError, match="only one label"):
        run("train", str(folder), "--labels", "happy")
    with pytest.raises(FerError, match="not two pictures of wink"):
        run("train", str(folder), "--labels", "happy,wink")


def test_ablation_tells_what_a_mechanism_is_worth(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = [dataclasses.replace(variant, factors=(1.0,)) for variant in ablation.VARIANTS]
    monkeypatch.setattr(ablate, "VARIANTS", [few[0], few[2], few[-1]])
    figures = tmp_path / "figures.json"
    arguments = (str(folder), "--test", str(folder), "--crop", "given", "--jobs", "1")
    assert run("ablate", *arguments, "--presentations", "300", "--json", str(figures)) == 0
    whole, blank, blurred = json.loads(figures.read_text())
    assert (whole["variant"], blank["variant"]) == ("all mechanisms", "no plasticity at all")
    assert blurred["variant"] == "no orientation channels"
    # Every label is a direction of stripes here.
    assert whole["test"] > blurred["test"]


@pytest.mark.parametrize(
    ("verb", "option"),
    [("train", "--output"), ("evaluate", "--json"), ("evaluate", "--plot"), ("ablate", "--json")],
)
def test_a_file_that_cannot_be_written_is_refused_before_the_work(
    folder: Path, tmp_path: Path, verb: str, option: str
) -> None:
    (tmp_path / "file").touch()
    more = ("--test", str(folder)) if verb == "ablate" else ()
    refused = {
        tmp_path: "Is a directory",
        tmp_path / "file" / "x": "Not a directory",
        tmp_path / "folder" / "x": "No such file or directory",
    }
    for path, reason in refused.items():
        with pytest.raises(FerError, match=f"cannot be written .{reason}"):
            run(verb, str(tmp_path / "no pictures"), option, str(path), *more)


def test_what_is_read_is_told_before_the_work(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, listing = tmp_path / "set", tmp_path / "listing.csv"
    shutil.copytree(folder, data)
    (data / "happy" / "bad.png").write_text("no picture")
    cv2.imwrite(str(data / "happy" / "flat.png"), np.full((48, 48), 90, np.uint8))
    shutil.copytree(data / "neutral", data / "smile")
    (data / "__MACOSX").mkdir()
    output = tmp_path / "x.npz"
    arguments = (str(data), "--output", str(output), "--listing", str(listing), "--jobs", "1")
    assert run("train", *arguments, "--presentations", "5") == 0
    told = capsys.readouterr().out
    assert (
        f"{data}: 50 pictures: neutral 12, smile 26 (happy, smile), surprised 12 (surprise)" in told
    )
    assert "__MACOSX left out" in told
    assert f"{data}: 49 pictures without a face that was found, used whole: " in told
    assert f"{data}: 1 picture blank, used nevertheless: happy/flat.png\n" in told
    damaged = f"{data}: 1 picture unreadable (damaged, too large, or no picture), left out: "
    assert f"{damaged}happy/bad.png\n" in told
    assert told.index("unreadable") < told.index("balanced accuracy")
    rows = list(csv.DictReader(listing.read_text().splitlines()))
    assert Counter(row["read"] for row in rows) == {"whole": 48, "blank": 1, "unreadable": 1}
    assert weights_file.load(output).provenance["unreadable"] == 1


@pytest.mark.parametrize(
    ("verb", "option", "value", "told"),
    [
        ("train", "--seed", "-1", "from 0 to 4294967295"),
        ("train", "--seed", "1e3", "from 0 to"),
        ("train", "--presentations", "0", "from 1 to 1000000000"),
        ("train", "--jobs", "0", "from 1 to 256"),
        ("train", "--jobs", "100000", "from 1 to 256"),
        ("train", "--named", "-3", "from 1 to"),
        ("ablate", "--presentations", "-5", "from 1 to"),
        ("ablate", "--seed", "-1", "from 0 to"),
        ("evaluate", "--jobs", "two", "from 1 to 256"),
        ("train", "--labels", "happy,smile", "names smile more than once"),
        ("train", "--labels", "happy,,neutral", "cannot be a label"),
        ("train", "--labels", "happy,undecided", "cannot be a label"),
    ],
)
def test_senseless_values_are_refused_with_what_is_allowed(
    folder: Path, capsys: pytest.CaptureFixture[str], verb: str, option: str, value: str, told: str
) -> None:
    more = ("--test", str(folder)) if verb == "ablate" else ()
    with pytest.raises(SystemExit):
        run(verb, str(folder), *more, option, value)
    assert told in capsys.readouterr().err


def test_a_picture_is_not_both_learnt_and_held_out(folder: Path, tmp_path: Path) -> None:
    output = ("--output", str(tmp_path / "x.npz"))
    with pytest.raises(FerError, match="named twice or contains another source"):
        run("train", str(folder), str(folder / "happy" / ".."), *output)
    for k, label in enumerate(("happy", "neutral", "surprise")):
        for part in ("one", "two"):
            (tmp_path / part / label).mkdir(parents=True)
            name = f"{k + 3 * (part == 'two')}.png"
            shutil.copy(folder / label / name, tmp_path / part / label / name)
    with pytest.raises(FerError, match="no folder has 2 readable pictures of 'neutral'"):
        run("train", str(tmp_path / "one"), str(tmp_path / "two"), *output, "--jobs", "1")


def test_constants_of_training_are_used_unless_the_user_sets_them(
    folder: Path, weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = weights_file.load(weights)
    quiet = dataclasses.replace(model, parameters={**model.parameters, "gain": 0.0})
    path = tmp_path / "quiet.npz"
    weights_file.save(quiet, path)
    arguments = (str(folder), "--weights", str(path), "--crop", "given", "--jobs", "1")
    figures = tmp_path / "figures.json"
    assert run("evaluate", *arguments, "--json", str(figures)) == 0
    assert json.loads(figures.read_text())["undecided_rate"] == 1.0
    assert "quiet.npz: uses the constants of training: gain = 0, eta_w" in capsys.readouterr().out
    params = tmp_path / "params.yaml"
    params.write_text("snn:\n  ros__parameters:\n    gain: 6.0\n")
    assert run("evaluate", *arguments, "--json", str(figures), "--params", str(params)) == 0
    assert json.loads(figures.read_text())["balanced_accuracy"] > 0.8
    assert "quiet.npz was trained with gain = 0, but other values" in capsys.readouterr().out
