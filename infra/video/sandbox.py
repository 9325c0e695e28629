"""Runs a program on a file that nobody trusts: little memory and time, no network, no name of the file.

The limits are the kernel's, set by util-linux before the program begins: address space, processor time, size of a
written file, no core dump, no new privileges, lowest priority. It dies with the thread that started it. Where
the kernel lets us, it gets a separate network namespace, which has no interface; ``Finished.network`` says so.
The file is its standard input, and nothing else is open.
"""

import os
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO, BinaryIO, Literal

Network = Literal["none", "allow-lists only"]
LONGEST_LINE = 4096
LOG_LINES = 200
MAX_OUTPUT = 2**20
"""Bytes of standard output."""


@dataclass(frozen=True, slots=True)
class Limits:
    memory: int
    """Bytes of address space."""
    cpu_s: int
    wall_s: int
    file_bytes: int = 2**30
    """Of the largest file that it may write."""


@dataclass(frozen=True, slots=True)
class Finished:
    code: int
    """Exit code; negative: the signal that ended it."""
    output: str
    log: tuple[str, ...]
    """The last lines of standard error."""
    cpu_s: float
    peak_bytes: int
    """Largest resident memory."""
    network: Network
    exceeded: Literal["time", "memory", "output"] | None
    """The limit that ended it."""


def run(
    command: Sequence[str],
    limits: Limits,
    *,
    source: BinaryIO | None = None,
    folder: Path | None = None,
    on_line: Callable[[str], None] | None = None,
) -> Finished:
    """Run until the program ends or breaks a limit. It writes into ``folder``, its working directory.

    ``source`` is its standard input, from the beginning. ``on_line`` gets each line of its output, which is then not
    collected.
    """
    network = available_network()
    if source:
        source.seek(0)
    process = subprocess.Popen(
        [*_wrapper(network, limits), *command],
        stdin=source or subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=folder,
        env={"PATH": os.defpath, "LC_ALL": "C", "MALLOC_ARENA_MAX": "2"},
    )
    assert process.stdout is not None
    assert process.stderr is not None
    expired = threading.Event()

    def end() -> None:
        expired.set()
        process.kill()

    timer = threading.Timer(limits.wall_s, end)
    log: deque[str] = deque(maxlen=LOG_LINES)
    reader = threading.Thread(target=_collect, args=(process.stderr, log.append), daemon=True)
    output: list[str] = []
    try:
        timer.start()
        reader.start()
        whole = _collect(process.stdout, on_line or output.append, None if on_line else MAX_OUTPUT)
        if not whole:
            process.kill()
        reader.join()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    finally:
        timer.cancel()
        if process.returncode is None:
            process.kill()
            process.wait()
        process.stdout.close()
        process.stderr.close()
    cpu_s = usage.ru_utime + usage.ru_stime
    return Finished(
        code=process.returncode,
        output="".join(output),
        log=tuple(log),
        cpu_s=cpu_s,
        peak_bytes=usage.ru_maxrss * 1024,
        network=network,
        exceeded=_exceeded(expired.is_set() or cpu_s >= limits.cpu_s, whole, process.returncode, log),
    )


@cache
def available_network() -> Network:
    """What this system lets a program have: no network, or a network that only ffmpeg's allow-lists keep it from."""
    alone = subprocess.run([*_NO_NETWORK, "true"], capture_output=True, check=False).returncode == 0
    return "none" if alone else "allow-lists only"


_NO_NETWORK = ("unshare", "--user", "--net", "--")


def _wrapper(network: Network, limits: Limits) -> list[str]:
    # Each replaces itself by the next one, so the process that we started is the program. The order matters:
    # a new user namespace would clear the signal that the parent's death sends.
    return [
        *("nice", "-n", "19"),
        *(_NO_NETWORK if network == "none" else ()),
        *("prlimit", f"--as={limits.memory}", f"--cpu={limits.cpu_s}:{limits.cpu_s + 2}"),
        *(f"--fsize={limits.file_bytes}", "--core=0", "--nofile=64", "--"),
        *("setpriv", "--pdeathsig", "KILL", "--no-new-privs", "--"),
    ]


def _collect(stream: IO[bytes], keep: Callable[[str], None], most: int | None = None) -> bool:
    """Pass on each line; False when there are more than ``most`` bytes."""
    read = 0
    while line := stream.readline(LONGEST_LINE):
        read += len(line)
        if most is not None and read > most:
            return False
        keep(line.decode(errors="replace"))
    return True


def _exceeded(late: bool, whole: bool, code: int, log: Sequence[str]) -> Literal["time", "memory", "output"] | None:
    if late:
        return "time"
    if not whole or (code and any("File too large" in line for line in log)) or code == -25:
        return "output"
    if code and any("Cannot allocate memory" in line for line in log):
        return "memory"
    return None
