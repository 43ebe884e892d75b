# %% [markdown]
# # Train on your own folders
#
# `fer train` takes one folder of pictures for each label. Yours may show anything that you can
# photograph: a wink, a raised brow, or a mood of a robot's users. Here the pictures are frames of
# the clip in the package, and the labels are two that it shows. (The shipped network has never
# learnt from this clip: it is tested with it.)

# %%
import csv
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import cv2
import matplotlib.pyplot as plt

from fer_camera.core.sources import demo_path
from fer_snn import load_weights

LABELS = ("smile", "surprised")
work = Path(tempfile.mkdtemp())
with open(demo_path().with_name("demo_labels.csv"), newline="") as file:
    rows = [row for row in csv.DictReader(file) if row["label"] in LABELS]

# %% [markdown]
# The folders: `train/smile/0042.png` and so on. One head shows both expressions: it is learnt from,
# and two others are kept for the test. Pictures of one person in both parts would make the network
# look better than it is.

# %%
clip = cv2.VideoCapture(str(demo_path()))
for row in rows[::2]:
    folder = work / ("train" if row["identity"] == "0" else "test") / row["label"]
    folder.mkdir(parents=True, exist_ok=True)
    clip.set(cv2.CAP_PROP_POS_FRAMES, int(row["frame"]))
    cv2.imwrite(str(folder / f"{int(row['frame']):04}.png"), clip.read()[1])
for folder in sorted(work.glob("*/*")):
    print(f"{folder.relative_to(work)}: {len(list(folder.iterdir()))} pictures")

# %% [markdown]
# The training, in a terminal: `fer train train --output mine.npz`. Real folders need no
# `--presentations`; 20,000 and more are usual, and take minutes.

# %%


def fer(*arguments):
    """Run a command of fer."""
    command = [sys.executable, "-m", "fer.cli", *map(str, arguments)]
    subprocess.run(command, cwd=work, check=True, stdout=sys.stderr)


fer("train", "train", "--output", "mine.npz", "--presentations", 300, "--jobs", 1)

# %% [markdown]
# How good is it, on heads that it has not seen? Then `fer up --weights mine.npz` shows it live.

# %%
fer("evaluate", "test", "--weights", "mine.npz", "--json", "figures.json", "--jobs", 1)
figures = json.loads((work / "figures.json").read_text())
print(f"mean recall on two other heads: {figures['balanced_accuracy']:.2f}")

# %% [markdown]
# The weights file holds everything that is needed to use it and to make it again.

# %%
model = load_weights(work / "mine.npz")
print(f"it answers {' or '.join(model.labels)}")
plt.imshow(figures["confusion"], cmap="Blues")
plt.xticks(range(len(LABELS) + 1), [*figures["labels"], "undecided"])
plt.yticks(range(len(LABELS)), figures["labels"])
plt.xlabel("answer")
plt.ylabel("shown")
plt.show()
