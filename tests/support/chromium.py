"""The one real browser of the tests: Debian's Chromium, driven by Playwright."""

from __future__ import annotations

import shutil

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
MISSING = "no Chromium on this machine: apt-get install chromium"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    # Playwright denies storage to frames of another site by one long switch; the last of its kind counts, so this one
    # leaves storage partitioned, as it is in people's browsers. What it does turn off is a process of their own for
    # such frames: on a busy machine Playwright loses sight of a frame that changes its process, about once in twenty.
    "--disable-features=IsolateOrigins,site-per-process",
    "--disable-site-isolation-trials",
]
