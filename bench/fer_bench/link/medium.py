"""What joins two hosts: the kernel's netem where it has one, else the forwarder in user space."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from fer_bench.link.forwarder import Forwarder
from fer_bench.link.hosts import DEVICE, Host
from fer_bench.link.impairment import GOOD, QUEUE_PACKETS, Impairment

ADDRESSES = ("10.77.0.1/24", "10.77.0.2/24")
SEED = 1


class Medium(Protocol):
    """A link between two hosts."""

    #: How it is made, for the table.
    name: str

    def set(self, impairment: Impairment) -> None:
        """Make the link so good or bad, in both directions."""

    def close(self) -> None:
        """Take the link away."""


class Netem:
    """A pair of virtual Ethernet devices with `tc netem` at both ends."""

    name = "tc netem on a veth pair"

    def __init__(self, hosts: tuple[Host, Host]) -> None:
        self._hosts = hosts
        ends = ("fer-veth0", "fer-veth1")
        subprocess.run(
            ["ip", "link", "add", ends[0], "type", "veth", "peer", "name", ends[1]], check=True
        )
        for host, end in zip(hosts, ends, strict=True):
            host.plug_in(end)

    def set(self, impairment: Impairment) -> None:
        """Make the link so good or bad, in both directions."""
        for host in self._hosts:
            host.run(
                *("tc", "qdisc", "replace", "dev", DEVICE, "root", "netem"),
                *netem_arguments(impairment),
            )

    def close(self) -> None:
        """Nothing: the pair goes with the namespaces."""


class UserSpace:
    """A pair of TAP devices and a program between them."""

    name = "forwarder in user space between two TAP devices"

    def __init__(self, hosts: tuple[Host, Host]) -> None:
        names = ("fer-tap0", "fer-tap1")
        self._forwarder = Forwarder(names, SEED)
        for host, name in zip(hosts, names, strict=True):
            host.plug_in(name)

    def set(self, impairment: Impairment) -> None:
        """Make the link so good or bad, in both directions."""
        self._forwarder.set(impairment)

    def close(self) -> None:
        """Take the cable away."""
        self._forwarder.close()


def netem_arguments(impairment: Impairment) -> list[str]:
    """Return what `tc qdisc ... netem` is told."""
    arguments = ["limit", str(QUEUE_PACKETS)]
    if impairment.delay_s:
        arguments += [
            "delay",
            f"{impairment.delay_s * 1e3:g}ms",
            f"{impairment.jitter_s * 1e3:g}ms",
        ]
    if impairment.loss:
        arguments += ["loss", f"{impairment.loss:.4%}"]
    if impairment.rate_bps:
        arguments += ["rate", f"{impairment.rate_bps:.0f}bit"]
    return arguments


def has_netem(host: Host) -> bool:
    """Whether the kernel has `tc netem`."""
    command = host.command("tc", "qdisc", "replace", "dev", "lo", "root", "netem", "limit", "1000")
    trial = subprocess.run(command, capture_output=True, check=False)
    if trial.returncode == 0:
        host.run("tc", "qdisc", "del", "dev", "lo", "root")
    return trial.returncode == 0


@contextmanager
def joined_hosts() -> Iterator[tuple[Host, Host, Medium]]:
    """Yield two hosts and the link between them, good at first."""
    hosts = Host(ADDRESSES[0]), Host(ADDRESSES[1])
    medium: Medium | None = None
    try:
        medium = Netem(hosts) if has_netem(hosts[0]) else UserSpace(hosts)
        medium.set(GOOD)
        yield *hosts, medium
    finally:
        # Before the hosts: its devices go with them.
        if medium is not None:
            medium.close()
        for host in hosts:
            host.close()
