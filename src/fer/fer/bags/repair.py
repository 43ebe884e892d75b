"""Completes a bag that its recorder could not finish, and recovers any bag into a new folder."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import yaml
import zstandard
from rosbags.rosbag2.metadata import dump_qos_v9
from rosbags.typesys import TypesysError

from fer.bags import sqlite_file
from fer.bags.mcap_file import LIBRARY, McapFile, copy_records, finish_mcap, has_end
from fer.bags.reading import (
    METADATA,
    STORAGES,
    BagFile,
    data_files,
    message_types,
    opened,
    read_metadata,
)
from fer.bags.topics import BagError, Topic
from fer_common.core.atomic import whole_folder, write_atomically

#: Version of metadata.yaml, as rosbag2 of Jazzy and later writes it.
_VERSION = 9


def finish(folder: Path) -> None:
    """Complete, in place, the files of a bag that fer recorded, and its metadata.yaml.

    Raises
    ------
    BagError
        if the folder cannot be written, or a file is not as fer writes it.
    """
    try:
        for path in data_files(folder):
            if not is_finished(path):
                (finish_mcap if path.suffix == ".mcap" else sqlite_file.finish_sqlite)(path)
        write_metadata(folder, {})
    except (OSError, sqlite3.Error) as error:
        raise BagError(f"bag {folder} cannot be completed: {error}") from error


def is_finished(path: Path) -> bool:
    """Whether a file of a bag was finished."""
    if path.suffix != ".mcap":
        return sqlite_file.is_finished(path)
    with path.open("rb") as file:
        return has_end(file)


def is_whole(folder: Path) -> bool:
    """Whether a bag was finished."""
    return (folder / METADATA).exists() and all(map(is_finished, data_files(folder)))


def recover(path: Path, target: Path) -> list[str]:
    """Write everything that can be read of a bag to a new one, and return what is lost.

    Every record is kept, attachments and metadata too, and the profile, library and channels.

    Raises
    ------
    BagError
        if there is nothing to recover, or the new folder exists or cannot be written.
    """
    if target.exists():
        raise BagError(f"{target} is there already: name another folder")
    with opened(path) as bag:
        lost = dict.fromkeys(bag.losses)
        try:
            with whole_folder(target) as unfinished:
                for number, file in enumerate(bag.files):

                    def report(problem: str, name: str = file.path.name) -> None:
                        lost[f"{name}: {problem}"] = None

                    _recover_file(file, f"{unfinished / target.name}_{number}", report)
                write_metadata(unfinished, read_metadata(path)[0] if path.is_dir() else {})
        except (OSError, sqlite3.Error) as error:
            raise BagError(f"{path} cannot be recovered to {target}: {error}") from error
    return list(lost)


def _recover_file(file: BagFile, target: str, report: Callable[[str], None]) -> None:
    """Write what can be read of a file to a new one, `target` without its suffix."""
    if isinstance(file, McapFile):
        with file.path.open("rb") as source, Path(f"{target}.mcap").open("xb") as sink:
            copy_records(source, file.end, sink, report)
    else:
        sqlite_file.recover_sqlite(file.path, Path(f"{target}.db3"), report)


def write_metadata(folder: Path, old: dict[str, Any]) -> None:
    """Write metadata.yaml from what the files say of themselves.

    Parameters
    ----------
    old : what it said before: of that the user's data and the distribution are kept.

    Raises
    ------
    OSError
        if it cannot be written.
    """
    with opened(folder) as bag:
        is_compressed = any(map(_has_compressed_messages, bag.files))
        information = {
            "version": _VERSION,
            "storage_identifier": STORAGES[bag.files[0].path.suffix],
            "relative_file_paths": [file.path.name for file in bag.files],
            **_span(bag.files),
            "topics_with_message_count": list(map(_described, bag.topics.values())),
            "compression_format": "zstd" if is_compressed else "",
            "compression_mode": "MESSAGE" if is_compressed else "",
            "files": [{"path": file.path.name, **_span([file])} for file in bag.files],
            "custom_data": old.get("custom_data"),
            "ros_distro": old.get("ros_distro") or LIBRARY,
        }
    text = yaml.safe_dump({"rosbag2_bagfile_information": information}, sort_keys=False)
    write_atomically(folder / METADATA, text.encode())


def _has_compressed_messages(file: BagFile) -> bool:
    first = next(file.messages(file.topics.keys(), 0), None)
    return first is not None and first[2][:4] == zstandard.FRAME_HEADER


def _span(files: Iterable[BagFile]) -> dict[str, Any]:
    full = [file for file in files if file.end_ns]
    first = min((file.start_ns for file in full), default=0)
    last = max((file.end_ns for file in full), default=0)
    counts = (topic.messages for file in files for topic in file.topics.values())
    return {
        "duration": {"nanoseconds": last - first},
        "starting_time": {"nanoseconds_since_epoch": first},
        "message_count": sum(counts),
    }


def _described(topic: Topic) -> dict[str, Any]:
    type_hash = topic.type_hash
    if not type_hash and not topic.obstacle:
        try:
            type_hash = message_types(topic).hash_rihs01(topic.type)
        except (BagError, TypesysError):
            type_hash = ""
    return {
        "topic_metadata": {
            "name": topic.name,
            "type": topic.type,
            "serialization_format": topic.serialization,
            "offered_qos_profiles": dump_qos_v9(list(topic.qos)),
            "type_description_hash": type_hash,
        },
        "message_count": topic.messages,
    }
