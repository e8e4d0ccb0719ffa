"""Notices that code has changed, so that the functions concerned are renewed without restarting everything."""

import contextlib
import importlib.util
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

LOOKS_EVERY_SECONDS = 0.25
NOT_CODE = {"__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache"}

Sight = Mapping[str, tuple[int, int]]


class Watch:
    """Looks at folders again and again; `changed` is called with those in which a file is new, changed or gone."""

    def __init__(self, folders: set[Path], changed: Callable[[set[Path]], None]) -> None:
        self._changed = changed
        self._seen = {folder: _look(folder) for folder in folders}
        self._stop = threading.Event()

    def start(self) -> None:
        threading.Thread(target=self._run, name="watch", daemon=True).start()

    def stop(self) -> None:
        self._stop.set()

    def _run(self) -> None:
        while not self._stop.wait(LOOKS_EVERY_SECONDS):
            now = {folder: _look(folder) for folder in self._seen}
            changed = {folder for folder, sight in now.items() if sight != self._seen[folder]}
            for folder in changed:
                for path in now[folder].items() - self._seen[folder].items():
                    _forget_bytecode(path[0])
            self._seen = now
            if changed:
                self._changed(changed)


def _look(folder: Path) -> Sight:
    return dict(_files(str(folder)))


def _files(folder: str) -> Iterator[tuple[str, tuple[int, int]]]:
    with contextlib.suppress(FileNotFoundError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir():
                if entry.name not in NOT_CODE:
                    yield from _files(entry.path)
            else:
                stat = entry.stat()
                yield entry.path, (stat.st_mtime_ns, stat.st_size)


def _forget_bytecode(path: str) -> None:
    """Python believes bytecode whose source has the same second and size: two quick edits would look alike to it."""
    if path.endswith(".py"):
        Path(importlib.util.cache_from_source(path)).unlink(missing_ok=True)
