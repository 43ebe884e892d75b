"""Hosts as namespaces of this machine: each has its own network and its own shared memory."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fer_common.core.errors import FerError

DEVICE = "eth0"
#: What every host does first. Shared memory of their own, for two hosts that shared one could send
#: each other pictures without the link. Ends with its standard input, so with whoever started it.
_BOOT = "mount -t tmpfs tmpfs /dev/shm && ip link set lo up && echo up && exec cat"
_MARK = "FER_BENCH_LINK_INSIDE"


def enter_namespace() -> None:
    """Start this program again with a network of its own; in a user namespace where not as root.

    Raises
    ------
    FerError
        where that is not allowed.
    """
    if os.environ.get(_MARK):
        return
    reason = refusal()
    if reason:
        raise FerError(reason)
    os.environ[_MARK] = "1"
    unshare = ["unshare", *_user_namespace(), "--net", "--mount"]
    os.execvp(unshare[0], [*unshare, sys.executable, *sys.orig_argv[1:]])


def _user_namespace() -> list[str]:
    return [] if os.geteuid() == 0 else ["--user", "--map-root-user"]


def refusal() -> str:
    """Return why hosts cannot be made here, empty where they can."""
    trial = "mount -t tmpfs tmpfs /dev/shm && ip link set lo up && ip tuntap add fer0 mode tap"
    command = ["unshare", *_user_namespace(), "--net", "--mount", "sh", "-c", trial]
    try:
        result = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return "network namespaces need the programs unshare, nsenter and ip: install iproute2"
    if result.returncode == 0:
        return ""
    reason = result.stderr.strip().splitlines()[-1:] or ["no reason given"]
    return f"two hosts need root, or user namespaces and TAP devices: {reason[0]}"


@dataclass(frozen=True)
class Counters:
    """What a host's device has sent and received, with Ethernet headers."""

    sent_bytes: int
    received_bytes: int
    sent_packets: int
    received_packets: int


class Host:
    """One host.

    Parameters
    ----------
    address : of its end of the link, with the length of the prefix.

    Raises
    ------
    FerError
        where it cannot be made.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self._holder = subprocess.Popen(
            ["unshare", "--net", "--mount", "sh", "-c", _BOOT],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._holder.stdout is not None and self._holder.stderr is not None
        if not self._holder.stdout.readline():
            reason = self._holder.stderr.read().strip()
            self.close()
            raise FerError(f"a host cannot be made here: {reason}")

    def plug_in(self, device: str) -> None:
        """Take a device of this namespace as the end of the link."""
        address = self.address
        _run(["ip", "link", "set", device, "netns", str(self._holder.pid)])
        self.run("ip", "link", "set", device, "name", DEVICE)
        self.run("ip", "address", "add", address, "dev", DEVICE)
        self.run("ip", "link", "set", DEVICE, "up")
        # Discovery is multicast.
        self.run("ip", "route", "add", "224.0.0.0/4", "dev", DEVICE)

    def command(self, *arguments: str) -> list[str]:
        """Return the command that runs a command on this host."""
        target = ["--target", str(self._holder.pid)]
        return ["nsenter", *target, "--net", "--mount", f"--wd={Path.cwd()}", "--", *arguments]

    def run(self, *arguments: str) -> str:
        """Run a command on this host to its end, and return what it wrote.

        Raises
        ------
        FerError
            with what it wrote as its error, if it fails.
        """
        return _run(self.command(*arguments))

    def start(
        self, arguments: Sequence[str], environment: Mapping[str, str], log: Path
    ) -> subprocess.Popen[bytes]:
        """Start a command on this host. Its pid is the command's own."""
        with log.open("wb") as file:
            return subprocess.Popen(
                self.command(*arguments),
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
            )

    def counters(self) -> Counters:
        """Return what its device has counted so far."""
        for line in Path(f"/proc/{self._holder.pid}/net/dev").read_text().splitlines():
            name, _, rest = line.partition(":")
            if name.strip() == DEVICE:
                numbers = [int(part) for part in rest.split()]
                return Counters(numbers[8], numbers[0], numbers[9], numbers[1])
        raise FerError(f"host {self.address} has no device {DEVICE}")

    def close(self) -> None:
        """Give the host up; what still runs there loses its network only with its last process."""
        with contextlib.suppress(OSError):
            self._holder.communicate(timeout=5.0)


def _run(command: Sequence[str]) -> str:
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        raise FerError(f"`{' '.join(command)}` failed: {result.stderr.strip()}")
    return result.stdout
