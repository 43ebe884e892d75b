"""Hosts as namespaces of this machine: each has its own network and its own shared memory."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from fer_bench.link.cable import Cable
from fer_bench.peers import last_line
from fer_common.core.errors import FerError

ADDRESSES = ("10.77.0.1/24", "10.77.0.2/24")
DEVICE = "eth0"
_TAPS = ("fer-tap0", "fer-tap1")
#: The first command of every host. Each mounts its own shared memory: two hosts that shared it
#: could exchange pictures without the link. Ends with its standard input, so with its parent.
_BOOT = "mount -t tmpfs tmpfs /dev/shm && ip link set lo up && echo up && exec cat"
_MARK = "FER_BENCH_LINK_INSIDE"


def enter_namespace() -> None:
    """Restart this program with a network of its own; if not root, in a user namespace.

    Raises
    ------
    FerError
        if that is not allowed.
    """
    if os.environ.get(_MARK):
        return
    if reason := refusal():
        raise FerError(reason)
    os.environ[_MARK] = "1"
    unshare = ["unshare", *_user_namespace(), "--net", "--mount"]
    os.execvp(unshare[0], [*unshare, sys.executable, *sys.orig_argv[1:]])


def _user_namespace() -> list[str]:
    return [] if os.geteuid() == 0 else ["--user", "--map-root-user"]


def refusal() -> str:
    """Return why hosts cannot be made here, empty if they can."""
    trial = "mount -t tmpfs tmpfs /dev/shm && ip link set lo up && ip tuntap add fer0 mode tap"
    command = ["unshare", *_user_namespace(), "--net", "--mount", "sh", "-c", trial]
    try:
        result = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return "network namespaces need the programs unshare, nsenter and ip: install iproute2"
    if result.returncode == 0:
        return ""
    reason = last_line(result.stderr)
    return f"two hosts need root, or user namespaces and TAP devices: {reason}"


class Host:
    """One host.

    Parameters
    ----------
    address : of its end of the link, with the length of the prefix.

    Raises
    ------
    FerError
        if it cannot be made.
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
        _run(["ip", "link", "set", device, "netns", str(self._holder.pid)])
        self.run("ip", "link", "set", device, "name", DEVICE)
        self.run("ip", "address", "add", self.address, "dev", DEVICE)
        self.run("ip", "link", "set", DEVICE, "up")
        # Discovery is multicast.
        self.run("ip", "route", "add", "224.0.0.0/4", "dev", DEVICE)

    def command(self, *arguments: str) -> list[str]:
        """Return the command that runs a command on this host."""
        target = ["--target", str(self._holder.pid)]
        return ["nsenter", *target, "--net", "--mount", f"--wd={Path.cwd()}", "--", *arguments]

    def run(self, *arguments: str) -> None:
        """Run a command on this host to its end.

        Raises
        ------
        FerError
            with its error output, if it fails.
        """
        _run(self.command(*arguments))

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

    def traffic(self) -> tuple[int, int]:
        """Return the bytes that it has sent and received so far, with Ethernet headers."""
        for line in Path(f"/proc/{self._holder.pid}/net/dev").read_text().splitlines():
            name, _, rest = line.partition(":")
            if name.strip() == DEVICE:
                numbers = [int(part) for part in rest.split()]
                return numbers[8], numbers[0]
        raise FerError(f"host {self.address} has no device {DEVICE}")

    def close(self) -> None:
        """End the host; programs that still run keep its network until they end."""
        with contextlib.suppress(OSError):
            self._holder.communicate(timeout=5.0)


def _run(command: Sequence[str]) -> None:
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        raise FerError(f"`{' '.join(command)}` failed: {result.stderr.strip()}")


@contextmanager
def joined_hosts() -> Iterator[tuple[Host, Host, Cable]]:
    """Yield two hosts and the cable between them, good at first."""
    # The cable is closed before the hosts: its devices go with them.
    with (
        closing(Host(ADDRESSES[0])) as first,
        closing(Host(ADDRESSES[1])) as second,
        closing(Cable(_TAPS)) as cable,
    ):
        first.plug_in(_TAPS[0])
        second.plug_in(_TAPS[1])
        yield first, second, cable
