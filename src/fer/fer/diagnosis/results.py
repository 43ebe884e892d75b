"""Results of the checks of `fer doctor`, in plain words."""

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
class CheckResult:
    """Result of one check.

    Attributes
    ----------
    level : how bad it is.
    subject : what was checked, a word or two.
    text : what was found.
    remedy : what to do about it, empty where nothing is wrong.
    """

    level: Level
    subject: str
    text: str
    remedy: str = ""


def ok(subject: str, text: str) -> CheckResult:
    """Return a result that needs nothing to be done."""
    return CheckResult(Level.OK, subject, text)


def warn(subject: str, text: str, remedy: str) -> CheckResult:
    """Return a result that may become a problem."""
    return CheckResult(Level.WARN, subject, text, remedy)


def error(subject: str, text: str, remedy: str) -> CheckResult:
    """Return something that does not work."""
    return CheckResult(Level.ERROR, subject, text, remedy)


def worst(results: Iterable[CheckResult]) -> Level:
    """Return the worst level among results, OK where there are none."""
    return max((result.level for result in results), default=Level.OK)


def report(title: str, results: Sequence[CheckResult]) -> str:
    """Return results as lines for people."""
    width = max((len(result.subject) for result in results), default=0)
    lines = [title]
    for result in results:
        mark = "ok" if result.level is Level.OK else result.level.name
        lines.append(f"  {mark:<5}  {result.subject:<{width}}  {result.text}")
        if result.remedy:
            lines.append(f"  {'':<5}  {'':<{width}}  -> {result.remedy}")
    return "\n".join(lines)
