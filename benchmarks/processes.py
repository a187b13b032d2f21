"""Watches a process and everything it starts: wall time, CPU, and how much memory it held.

Memory is sampled from `/proc`: the peak of the sum over the tree, and the kernel's own high-water
mark of each process. What a process adds after the last sample (a run of a third of a second has a
dozen) is in the kernel's figure for ended processes. CPU is the kernel's figure for the process and
all that it waited for.
"""

import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.errors import BenchmarkError

_SAMPLE_S = 0.025
_LOOK_S = 1.0
_PAGE = os.sysconf("SC_PAGE_SIZE")
_TICKS = os.sysconf("SC_CLK_TCK")
_MIB = 1 << 20


@dataclass(frozen=True)
class Finished:
    """What one run of a command took, and what it printed."""

    started_at: float
    """A reading of the monotonic clock, the same in every process of the machine."""
    wall_s: float
    cpu_s: float
    tree_mib: float
    """Peak of the resident memory of all its processes together (shared pages count in each)."""
    largest_mib: float
    """Peak of its largest process."""
    foreign_cores: float
    """CPUs that were kept busy by what is neither the command nor this process and its servers:
    noise.
    """
    stdout: str


def run_watched(
    argv: Sequence[str], *, env: Mapping[str, str], cwd: Path, timeout_s: float
) -> Finished:
    """Runs a command to its end; BenchmarkError if it fails or takes longer than `timeout_s`."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        noise = _Noise()
        # A new process inherits our own peak as its first figure.
        inherited = _find_peak(os.getpid())
        started_at = time.monotonic()
        process = subprocess.Popen(
            list(argv), stdin=subprocess.DEVNULL, stdout=out, stderr=err, env=dict(env), cwd=cwd
        )
        memory = _Memory(process.pid)
        killer = threading.Timer(timeout_s, process.kill)
        killer.start()
        memory.start()
        try:
            _, status, used = os.wait4(process.pid, 0)
        finally:
            wall_s = time.monotonic() - started_at
            killer.cancel()
            memory.stop()
        memory.add_final(process.pid, used.ru_maxrss * 1024, inherited=inherited)
        process.returncode = os.waitstatus_to_exitcode(status)
        cpu_s = used.ru_utime + used.ru_stime
        foreign_cores = noise.read_cores(without_s=cpu_s)
        stdout, stderr = _read(out.fileno()), _read(err.fileno())
    if process.returncode:
        raise BenchmarkError(
            f"{' '.join(argv)}: exit {process.returncode} after {wall_s:.1f} s\n{stderr[-3000:]}"
        )
    return Finished(
        *(started_at, wall_s, cpu_s, memory.tree_mib, memory.largest_mib, foreign_cores, stdout)
    )


def _read(descriptor: int) -> str:
    size = os.fstat(descriptor).st_size
    return os.pread(descriptor, size, 0).decode(errors="replace")


def wait_for_quiet(*, patience_s: float, cores: float) -> None:
    """Returns once others keep less than that many cores busy for a second, or patience ends."""
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        noise = _Noise()
        time.sleep(_LOOK_S)
        if noise.read_cores(without_s=0.0) <= cores:
            return


class _Memory:
    """Samples the memory of a process tree in a thread of its own."""

    def __init__(self, root: int) -> None:
        self._members = {root}
        self._seen: set[int] = set()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._tree_peak = 0
        self._own_peaks: dict[int, int] = {}

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        self._thread.join()

    def add_final(self, pid: int, peak: int, *, inherited: int) -> None:
        """The kernel's peak of an ended process; none of its own unless above `inherited`."""
        if peak > inherited:
            self._own_peaks[pid] = max(peak, self._own_peaks.get(pid, 0))

    @property
    def tree_mib(self) -> float:
        return max(self._tree_peak / _MIB, self.largest_mib)

    @property
    def largest_mib(self) -> float:
        return max(self._own_peaks.values(), default=0) / _MIB

    def _work(self) -> None:
        while not self._ended.wait(_SAMPLE_S):
            self._sample()

    def _sample(self) -> None:
        for pid in sorted(_list_pids() - self._seen):  # a parent's number is nearly always lower
            self._seen.add(pid)
            if _find_parent(pid) in self._members:
                self._members.add(pid)
        resident = 0
        for pid in self._members:
            pages = _find_text(pid, "statm").split()
            resident += int(pages[1]) * _PAGE if pages else 0
            peak = _find_peak(pid)
            self._own_peaks[pid] = max(peak, self._own_peaks.get(pid, 0))
        self._tree_peak = max(self._tree_peak, resident)


class _Noise:
    """How busy the machine is with what is none of ours: all CPU time but the command's and that of
    our tree.
    """

    def __init__(self) -> None:
        self._at = time.monotonic()
        self._busy_s = _read_busy_s()
        self._ours_s = _read_tree_cpu_s(os.getpid())

    def read_cores(self, *, without_s: float) -> float:
        busy_s = _read_busy_s() - self._busy_s
        ours_s = _read_tree_cpu_s(os.getpid()) - self._ours_s
        elapsed_s = time.monotonic() - self._at
        return max(0.0, (busy_s - ours_s - without_s) / elapsed_s)


def _read_busy_s() -> float:
    fields = [int(f) for f in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    idle = fields[3] + fields[4]
    return (sum(fields) - idle) / _TICKS


def _read_tree_cpu_s(root: int) -> float:
    """CPU of a process and its living descendants, without that of children that ended."""
    parents = {pid: _find_parent(pid) for pid in _list_pids()}
    members = {root}
    for pid in sorted(parents):
        if parents[pid] in members:
            members.add(pid)
    return sum(_find_cpu_s(pid) for pid in members)


def _list_pids() -> set[int]:
    return {int(name) for name in os.listdir("/proc") if name.isdigit()}


def _find_text(pid: int, name: str) -> str:
    try:
        return Path(f"/proc/{pid}/{name}").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def _find_stat(pid: int) -> list[str]:
    return _find_text(pid, "stat").rpartition(")")[2].split()


def _find_parent(pid: int) -> int:
    fields = _find_stat(pid)
    return int(fields[1]) if fields else 0


def _find_cpu_s(pid: int) -> float:
    fields = _find_stat(pid)
    return (int(fields[11]) + int(fields[12])) / _TICKS if fields else 0.0


def _find_peak(pid: int) -> int:
    lines: Iterable[str] = _find_text(pid, "status").splitlines()
    peak = next((line for line in lines if line.startswith("VmHWM:")), None)
    return int(peak.split()[1]) * 1024 if peak else 0
