"""What a check-up finds, in plain words."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


class Level(enum.IntEnum):
    """How bad it is."""

    OK = 0
    WARN = 1
    ERROR = 2


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes
    ----------
    level : how bad it is.
    subject : what was looked at, a word or two.
    text : what was found.
    remedy : what to do about it, empty where nothing is wrong.
    """

    level: Level
    subject: str
    text: str
    remedy: str = ""


def ok(subject: str, text: str) -> Finding:
    """Return what is as it should be."""
    return Finding(Level.OK, subject, text)


def warn(subject: str, text: str, remedy: str) -> Finding:
    """Return what may become trouble."""
    return Finding(Level.WARN, subject, text, remedy)


def error(subject: str, text: str, remedy: str) -> Finding:
    """Return what does not work."""
    return Finding(Level.ERROR, subject, text, remedy)


def worst(findings: Iterable[Finding]) -> Level:
    """Return the worst level among findings, OK where there are none."""
    return max((finding.level for finding in findings), default=Level.OK)


def report(title: str, findings: Sequence[Finding]) -> str:
    """Return findings as lines for people."""
    width = max((len(finding.subject) for finding in findings), default=0)
    lines = [title]
    for finding in findings:
        mark = "ok" if finding.level is Level.OK else finding.level.name
        lines.append(f"  {mark:<5}  {finding.subject:<{width}}  {finding.text}")
        if finding.remedy:
            lines.append(f"  {'':<5}  {'':<{width}}  -> {finding.remedy}")
    return "\n".join(lines)
