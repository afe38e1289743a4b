"""Bytes to text: what a file is (size, digest, encoding) and its text in blocks that end at line ends.

Departments send UTF-8 with and without a byte order mark, UTF-16 with one, and above all GB18030 under its older names.
A byte that the encoding does not allow is not an error of the file: it becomes one lone surrogate (U+DC00 plus the
byte), which no valid file can produce, so that the reader can set aside exactly the row it stands in.
"""

from __future__ import annotations

import codecs
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from charset_normalizer import from_bytes

from linkage.ingest.errors import IngestError

BLOCK_BYTES = 16 << 20
LONGEST_LINE = 128 << 20
_SAMPLE_BYTES = 1 << 20
# Fewer bytes than this (two for each Chinese character) could be GB18030 that happens to be valid UTF-8.
_CERTAIN_BYTES = 24
_ESCAPE = "guiyi-undecodable"
_SURROGATE = re.compile("[\ud800-\udfff]")
_TIE_BREAK = {"big5": "big5", "big5hkscs": "big5", "utf_8": "utf-8", "gb18030": "gb18030"}


@dataclass(frozen=True)
class FileProfile:
    """What one pass over a file's bytes tells.

    Attributes:
        size_bytes: length of the file.
        sha256: digest of the content, hexadecimal.
        head: the first kilobytes.
        mark: the encoding a byte order mark announces, if there is one.
        first_bad_utf8: offset near the first byte that is not UTF-8; None if the whole file is UTF-8.
        continuation_bytes: bytes that are no character of their own, as long as the file was UTF-8.
    """

    size_bytes: int
    sha256: str
    head: bytes
    mark: str | None
    first_bad_utf8: int | None
    continuation_bytes: int


def profile_file(path: Path) -> FileProfile:
    """Read a file once for its size, digest and whether it is UTF-8 throughout."""
    digest = hashlib.sha256()
    decoder = codecs.getincrementaldecoder("utf-8")()
    size = continuation = 0
    bad: int | None = None
    head = b""
    with path.open("rb") as file:
        while chunk := file.read(_SAMPLE_BYTES):
            head = head or chunk[:4096]
            digest.update(chunk)
            if bad is None:
                try:
                    continuation += len(chunk) - len(decoder.decode(chunk))
                except UnicodeDecodeError:
                    bad = size
            size += len(chunk)
    if bad is None:
        try:
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            bad = max(size - 4, 0)
    return FileProfile(size, digest.hexdigest(), head, _mark(head), bad, continuation)


def choose_encoding(path: Path, profile: FileProfile, given: str | None) -> str:
    """Return the encoding to read a text file with.

    Args:
        path: the file.
        profile: what `profile_file` found.
        given: the configured encoding, if any; it is checked against the content, not believed.

    Raises:
        IngestError: most lines beyond ASCII are not valid in the given encoding, but are in another.
    """
    if given is None:
        return profile.mark or _detect(path, profile)
    found = profile.mark or _detect(path, profile)
    if found.removesuffix("-sig") == given.removesuffix("-sig"):
        return found
    if found.startswith("utf-16") and given.startswith("utf-16"):
        return profile.mark or (found if given == "utf-16" else given)
    lines = _sample_lines(path, profile)
    invalid = [number for number, line in lines if not _is_valid(line, given)]
    better = sum(not _is_valid(line, found) for _, line in lines) < len(invalid)
    if _is_certain(profile, given) or (better and len(invalid) * 2 > len(lines)):
        where = f"{path.name}: line {invalid[0]}" if invalid and invalid[0] else path.name
        raise IngestError(
            where,
            f"not {given}: the file reads as {found}",
            expectation=f"{given}, as configured",
            remedy=f'set encoding = "{found}" under [file], or leave it out to have it detected',
        )
    return given


def text_blocks(path: Path, encoding: str, block_bytes: int = BLOCK_BYTES) -> Iterator[str]:
    """Yield the text of a file in blocks, each but the last ending at a line end."""
    decoder = codecs.getincrementaldecoder(encoding)(_ESCAPE)
    pending = ""
    with path.open("rb") as file:
        while chunk := file.read(block_bytes):
            text = pending + decoder.decode(chunk)
            cut = text.rfind("\n") + 1
            # A carriage return at the very end may be half of a pair, so it is no place to cut.
            cut = cut or text.rfind("\r", 0, -1) + 1
            pending = text[cut:]
            if len(pending) > LONGEST_LINE:
                raise IngestError(path.name, f"no line end in {LONGEST_LINE >> 20} MiB", expectation="a table of rows")
            if cut:
                yield text[:cut]
    if pending := pending + decoder.decode(b"", final=True):
        yield pending


def has_undecodable(text: str) -> bool:
    """Whether the text holds a byte that the encoding did not allow (or a lone surrogate)."""
    return _SURROGATE.search(text) is not None


def escape_undecodable(text: str) -> str:
    r"""Return the text with undecodable bytes written out.

    >>> escape_undecodable("a\udcff")
    'a\\xff'
    """
    return _SURROGATE.sub(lambda match: _written_out(ord(match.group())), text)


def _written_out(code: int) -> str:
    return f"\\x{code - 0xDC00:02x}" if 0xDC00 <= code < 0xDD00 else f"\\u{code:04x}"


def _keep_byte(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    # In an encoding of two-byte units, skipping one byte would put every later character out of step.
    end = error.end if error.encoding.lower().replace("_", "-").startswith(("utf-16", "utf-32")) else error.start + 1
    return "".join(chr(0xDC00 + byte) for byte in error.object[error.start : end]), end


codecs.register_error(_ESCAPE, _keep_byte)


def _mark(head: bytes) -> str | None:
    if head.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "utf-32"
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    return None


def _is_certain(profile: FileProfile, given: str) -> bool:
    """Whether the bytes alone show that the file is not in the given encoding."""
    is_utf8 = profile.first_bad_utf8 is None
    if given in ("utf-16", "utf-32"):
        return True  # these need the byte order mark that is not there
    if given.startswith(("utf-16", "utf-32")):
        return profile.mark is not None or (is_utf8 and 0 not in profile.head)
    return profile.mark is not None or (is_utf8 and profile.continuation_bytes >= _CERTAIN_BYTES)


def _detect(path: Path, profile: FileProfile) -> str:
    zeros = (profile.head[0::2].count(0), profile.head[1::2].count(0))
    is_half_empty = len(profile.head) >= 16 and max(zeros) * 8 > len(profile.head) and min(zeros) * 8 < max(zeros)
    if is_half_empty and profile.continuation_bytes < _CERTAIN_BYTES:
        return "utf-16-be" if zeros[0] > zeros[1] else "utf-16-le"
    if profile.first_bad_utf8 is None:
        return "utf-8"
    lines = [line for _, line in _sample_lines(path, profile)]
    for encoding in ("utf-8", "gb18030"):
        if sum(_is_valid(line, encoding) for line in lines) * 2 > len(lines):
            return encoding
    best = from_bytes(b"\n".join(lines)[:65536]).best()
    return _TIE_BREAK.get(best.encoding, "gb18030") if best else "gb18030"


def _sample_lines(path: Path, profile: FileProfile) -> list[tuple[int, bytes]]:
    """Return lines with bytes beyond ASCII, numbered from 1 (0: unknown): the start and where UTF-8 first fails."""
    with path.open("rb") as file:
        lines = list(enumerate(_whole_lines(file.read(_SAMPLE_BYTES), profile.size_bytes), start=1))
        if (offset := profile.first_bad_utf8 or 0) >= _SAMPLE_BYTES:
            file.seek(offset)
            lines += [(0, line) for line in _whole_lines(file.read(2 * _SAMPLE_BYTES), profile.size_bytes)[1:]]
    return [(number, line) for number, line in lines if not line.isascii()]


def _whole_lines(data: bytes, size_bytes: int) -> list[bytes]:
    lines = data.splitlines()
    return lines if len(data) == size_bytes or len(lines) < 2 else lines[:-1]


def _is_valid(line: bytes, encoding: str) -> bool:
    try:
        line.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True
