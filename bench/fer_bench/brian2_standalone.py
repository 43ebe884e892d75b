"""The network of fer as a C++ program that Brian2 writes, which runs without Python.

Started as `brian2_standalone.py CASE.npz FOLDER STEPS...`; the program simulates each number of
steps in turn. Each line of standard input is one of these numbers: the program runs from its
beginning, and the answer is that of `brian2_peer`, about the main loop of this number of steps.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import brian2 as b2
import numpy as np

# Last, so that no module here hides one that Brian2 needs.
sys.path.append(str(Path(__file__).parent))
from brian2_peer import build

#: What `brian2_peer.build` does in Python in each step. Called for each neuron in ascending order.
INHIBIT = """
double fer_inhibited(int i) {{
    static double mean, strongest;
    static int winner;
    const double *s = brian::{drive};
    if (i == 0) {{
        mean = 0, winner = 0;
        for (int j = 0; j < {n}; j++) {{
            mean += {gain} * s[j] / {n};
            if (s[j] > s[winner]) winner = j;
        }}
        strongest = {gain} * s[winner] - {beta} * mean;
    }}
    const double received = {gain} * s[i] - {beta} * mean;
    return strongest > 0 && i != winner ? received - {alpha} * strongest : received;
}}
"""
REPORT = 'printf("{{\\"loop_s\\": %.9g, \\"spikes\\": [%d, %d]}}\\n", {clock} - begin, {counts});'
CLOCK = "double(clock()) / CLOCKS_PER_SEC"


def inhibit(case: dict[str, np.ndarray], post: b2.NeuronGroup) -> None:
    """Let a group compute its currents in C++."""
    drive = b2.device.get_array_name(post.variables["s"])
    constants = {name: repr(float(case[name])) for name in ("gain", "beta", "alpha")}
    code = INHIBIT.format(drive=drive, n=len(post), **constants)
    function = b2.Function(lambda i: i, arg_units=[1], return_unit=1)
    function.implementations.add_implementation("cpp", code, name="fer_inhibited")
    post.namespace["inhibited"] = function
    post.run_regularly("current = inhibited(i)", when="before_groups")


def main() -> None:
    """Build what the case says, then run it until standard input ends."""
    case_file, cache, *numbers = sys.argv[1:]
    # What Brian2 and the compiler say is no answer.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    with tempfile.TemporaryDirectory(prefix="fer-bench-", dir=cache) as folder:
        b2.set_device("cpp_standalone", directory=folder, build_on_run=False)
        b2.BrianLogger.suppress_name("method_choice")
        case = dict(np.load(case_file))
        b2.defaultclock.dt = float(case["dt"]) * b2.second
        network, counters = build(case, inhibit)
        counts = [f"brian::{b2.device.get_array_name(c.variables['N'])}[0]" for c in counters]
        report = REPORT.format(clock=CLOCK, counts=", ".join(counts))
        for steps in numbers:
            b2.device.insert_code("main", f"{{ double begin = {CLOCK};")
            network.run(int(steps) * b2.defaultclock.dt)
            b2.device.insert_code("main", report + "}")
        b2.device.build(directory=folder, compile=True, run=False)
        for line in sys.stdin:
            done = subprocess.run(["./main"], cwd=folder, stdout=subprocess.PIPE, check=True)
            said = [text for text in done.stdout.splitlines() if text.startswith(b"{")]
            answer = json.loads(said[numbers.index(line.strip())])
            print(json.dumps({"call_s": answer["loop_s"], **answer}), file=answers, flush=True)


if __name__ == "__main__":
    main()
