"""Files: written so that a reader never sees half of one, read with a limit, set aside."""

from __future__ import annotations

import errno
import hashlib
import json
import math
import os
import platform
import re
import secrets
import shutil
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

from lrfer_bench.errors import MachineError, UserError

MOMENTARY = {
    getattr(errno, name)
    for name in ("EMFILE", "ENFILE", "ENOMEM", "EIO", "EAGAIN", "EINTR", "ESTALE", "ETIMEDOUT")
    if hasattr(errno, name)
}
"""Too many open files, no memory, a disk or a network that does not answer."""
STALE_SECONDS = 24 * 3600
BOOT_ID, PROCESS_NAMESPACE = Path("/proc/sys/kernel/random/boot_id"), Path("/proc/self/ns/pid")
"""Linux only."""
CACHE_VARIABLE = "LRFER_CACHE"
ELSEWHERE = "choose another folder with --results"
JSON_BYTES = 64 << 20
JSON_FILES = "[!.]*.json"
"""What a folder of ours holds: beside each, a Mac packs a ._NAME.json that is none."""
SOURCE_BYTES = 16 << 20
"""No Python file that somebody wrote is larger."""
DEEPEST = 32
LARGEST = 2**63
"""Integers in a JSON file are smaller, seeds among them, and so are the floats of its numbers."""


def at_home(path: str | Path) -> Path:
    """A path with `~` as the home folder; `~name` of no user is a name like any other.

    (Path.expanduser() raises RuntimeError for it.)
    """
    return Path(os.path.expanduser(path))


def default_cache() -> Path:
    """$LRFER_CACHE, or ~/.cache/lrfer-bench."""
    return at_home(os.environ.get(CACHE_VARIABLE) or "~/.cache/lrfer-bench")


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A binary file beside path that takes its place when the block ends well.

    It is gone when the block fails. Two processes that write the same path do no harm: one of the
    two whole files stays. Its mode is what the umask allows. Raises what the system raises.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = _own_path(path.parent)
    try:
        # "x" creates it with 0o666 less the umask. A chmod afterwards would overrule the umask, and
        # network shares and memory cards refuse it.
        with open(temporary, "xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Let the disk know the new name, too; where a system cannot do that, it comes later."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0))
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def own_folder(parent: Path) -> Path:
    """A new temporary folder in parent, with the mode that the umask allows; sweep() knows it."""
    folder = _own_path(parent)
    folder.mkdir()
    return folder


def _own_path(parent: Path) -> Path:
    return parent / f"{own_prefix()}{secrets.token_hex(4)}"


def look_anew(folder: Path) -> None:
    """Have a network file system ask its server again what is in a folder.

    NFS may say from memory for a minute that a file is not there; after a change of our own to the
    folder it asks.
    """
    with suppress(OSError):  # a full disk: what is made then is only made twice
        folder.mkdir(parents=True, exist_ok=True)
        probe = _own_path(folder)
        probe.touch()
        probe.unlink()


def own_prefix() -> str:
    """How the names of this process's temporary files begin, so that their owner is known."""
    return f".tmp-{this_machine()}-{os.getpid()}-"


@lru_cache(maxsize=1)
def this_machine() -> str:
    """Where the numbers of processes mean what they mean here.

    Names of machines do not tell that: virtual machines and containers that share a disk can have
    one name. After a restart leftovers count as another machine's.
    """
    facts = [platform.node()]
    with suppress(OSError):
        facts.append(BOOT_ID.read_text())
    with suppress(OSError):
        facts.append(os.readlink(PROCESS_NAMESPACE))
    return hashlib.sha256(" ".join(facts).encode()).hexdigest()[:8]


def _wrote(pid: int, left: Path) -> bool:
    """Whether the process that has this number now can have written a file.

    One that began after the file was written only got the number of its writer.
    """
    import psutil

    try:
        return bool(psutil.Process(pid).create_time() <= left.lstat().st_mtime + 1)
    except psutil.NoSuchProcess:
        return False
    except psutil.Error:  # somebody else's process
        return True


def sweep(folder: Path) -> None:
    """Remove temporary files and folders whose process is gone; of other machines, after a day.

    A name that this program does not give stays, whatever it is: it is somebody's.
    """
    for left in [*folder.glob(".tmp-*"), *folder.glob(".old-*")]:
        owner = re.match(r"\.(?:tmp|old)-([0-9a-f]{8})-(\d{1,9})-", left.name)
        if not owner:
            continue
        with suppress(OSError):
            if owner[1] == this_machine():
                gone = not _wrote(int(owner[2]), left)
            else:
                gone = time.time() - left.lstat().st_mtime > STALE_SECONDS
            if gone and left.is_dir() and not left.is_symlink():
                shutil.rmtree(left, ignore_errors=True)
            elif gone:
                left.unlink()


def write_atomically(
    path: Path,
    data: bytes,
    advice: str = ELSEWHERE,
    dated_ns: int | None = None,
) -> None:
    """Write a whole file or none.

    dated_ns: the file's time of change, in nanoseconds since 1970; default: now. A full disk or a
    wrong folder is a MachineError that ends with the advice.
    """
    try:
        with replacing(path) as file:
            file.write(data)
            if dated_ns is not None:
                file.flush()  # writing it later would date it anew
                os.utime(file.fileno() if os.utime in os.supports_fd else file.name,
                         ns=(dated_ns, dated_ns))  # fmt: skip
    except OSError as error:
        raise unwritable(path, error, advice) from error


def unwritable(path: Path, error: OSError, advice: str = ELSEWHERE) -> MachineError:
    """The sentence for a file that the system does not let us write."""
    return MachineError(
        f"cannot write {path}: {error.strerror or error}; free some space or {advice}"
    )


def check_free(path: Path, force: bool, option: str = "--out") -> None:
    """UserError where a file stands that nobody said may be replaced; asked before any work."""
    if path.is_dir():
        raise UserError(f"{path} is a folder: give {option} the name of a file")
    if os.path.lexists(path) and not force:
        raise UserError(
            f"{path} is there already, and nothing is overwritten: choose another {option}, or "
            "replace it with --force"
        )


def check_regular(path: Path, most: int | None = None) -> None:
    """ValueError if a file is not a regular one, or holds more than most bytes.

    Without opening it: a pipe or a device might never end. Raises OSError as well.
    """
    _check(os.stat(path), most)


def _check(status: os.stat_result, most: int | None) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise ValueError("it is not a regular file")
    if most is not None and status.st_size > most:
        raise ValueError(f"it holds {status.st_size:,} bytes, more than {most:,}")


def read_limited(path: Path, most: int) -> bytes:
    """The bytes of a file. ValueError if it is not a regular file or holds more than most bytes.

    A pipe or a device is refused before it is read: it might never end. Raises OSError as well.
    """
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
    with os.fdopen(os.open(path, flags | getattr(os, "O_BINARY", 0)), "rb") as file:
        _check(os.fstat(file.fileno()), most)
        data = file.read(most + 1)
    if len(data) > most:  # it grew while it was read
        raise ValueError(f"it holds more than {most:,} bytes")
    return data


def is_momentary(error: OSError) -> bool:
    """Whether an error tells of the machine now, and nothing of the file: it may work later."""
    return error.errno in MOMENTARY


def is_forbidden(error: OSError) -> bool:
    """Whether this user may not write there: a folder of others, or a read-only file system."""
    return error.errno in (errno.EACCES, errno.EPERM, errno.EROFS)


def is_no_fault(error: OSError) -> bool:
    """Whether an error says nothing of the file: the machine is in the way, or another's rights."""
    return is_momentary(error) or is_forbidden(error)


def unwritable_cache(cache: Path, error: OSError) -> UserError:
    """The sentence for a cache of prepared data sets that the system does not let us write."""
    return UserError(
        f"the cache {cache} cannot be written: {error.strerror or error}; "
        f"free some space or set {CACHE_VARIABLE} to another folder"
    )


def not_now(path: Path, error: OSError) -> MachineError:
    """The sentence for an error that is_no_fault()."""
    if is_forbidden(error):
        return MachineError(
            f"{path} may not be read by this user ({error.strerror}): let whom it belongs to allow "
            "it, as `chmod -R a+rX` on the folder does"
        )
    return MachineError(
        f"{path} cannot be read now: {error.strerror}; nothing is wrong with the file itself, so "
        "try again later"
    )


def set_aside(path: Path, word: str) -> Path:
    """Rename a file that cannot be used, so that its owner keeps it and nobody meets it again.

    word: the ending that it gets, such as "damaged". Returns its new path, which was free.
    """
    target, number = path.with_name(f"{path.name}.{word}"), 1
    while os.path.lexists(target):
        number += 1
        target = path.with_name(f"{path.name}.{word}-{number}")
    os.replace(path, target)
    return target


def read_json(path: Path) -> Any:
    """The content of a JSON file.

    ValueError for a file that is not a regular one, is too large, or is not complete JSON; for NaN,
    infinity and integers of LARGEST or more; for what is nested deeper than DEEPEST; and for a
    text that is not Unicode.
    """
    text = read_limited(path, JSON_BYTES).decode("utf-8")
    try:
        content = json.loads(text, parse_constant=_no_number)
    except RecursionError as error:
        raise ValueError(f"it is nested deeper than {DEEPEST}") from error
    _check_bounds(content)
    if "\\u" in text:
        _check_texts(content)
    return content


def _no_number(word: str) -> float:
    raise ValueError(f"it holds {word}, which is not a number")


def _check_bounds(content: Any) -> None:
    """ValueError for a number or a depth that no file of ours has. Without recursion.

    content: as json.loads() gives it, so that types can be compared, which is faster than asking
    isinstance(): a second start reads all records of a plan.
    """
    level, depth = [content], 0
    while level:
        if depth > DEEPEST:
            raise ValueError(f"it is nested deeper than {DEEPEST}")
        if not all(map(math.isfinite, [part for part in level if type(part) is float])):
            raise ValueError("it holds a number that is not finite")
        whole = [part for part in level if type(part) is int]
        if not -LARGEST < min(whole, default=0) <= max(whole, default=0) < LARGEST:
            raise ValueError("it holds an integer of 2**63 or more")
        holders = [part for part in level if type(part) in (dict, list)]
        inside = [part.values() if type(part) is dict else part for part in holders]
        level, depth = list(chain.from_iterable(inside)), depth + 1


def _check_texts(content: Any) -> None:
    """ValueError for half of a pair of UTF-16, which can be written as \\ud800 and is no text."""
    try:
        json.dumps(content, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError as error:
        raise ValueError("it holds a text that is not Unicode") from error
