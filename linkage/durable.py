"""Files that are there whole or not at all, also after the machine loses its power.

A file is written beside its place, put on the disk, and renamed; the folder's own entry is put on the disk as well.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path


def sync(path: Path) -> None:
    """Put a file's content, or a folder's entries, on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_tree(folder: Path) -> None:
    """Put a folder on the disk with everything in it."""
    for path in sorted(folder.iterdir()):
        if path.is_dir():
            sync_tree(path)
        else:
            sync(path)
    sync(folder)


def replace_whole(made: Path, final: Path) -> None:
    """Give a finished file or folder its name, in the place of a file that has it."""
    if not made.is_dir():
        sync(made)
    made.replace(final)
    sync(final.parent)


def copy_file(source: Path, copy: Path) -> None:
    """Copy a file; where the file system can, both share their blocks until one of them is changed."""
    with source.open("rb") as reader, copy.open("wb") as writer:
        left = os.fstat(reader.fileno()).st_size
        try:
            while left and (copied := os.copy_file_range(reader.fileno(), writer.fileno(), left)):
                left -= copied
        except OSError:  # between file systems, or on one that does not know how
            reader.seek(0)
            writer.truncate(0)
            writer.seek(0)
            shutil.copyfileobj(reader, writer)


def write_whole(path: Path, text: str) -> None:
    """Write a text file so that a reader, and a killed writer, leave the old one or the new one."""
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(text, "utf-8")
    replace_whole(partial, path)
