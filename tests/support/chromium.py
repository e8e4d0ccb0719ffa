"""The one real browser of the tests: Debian's Chromium, driven by Playwright."""

from __future__ import annotations

import shutil

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
MISSING = "no Chromium on this machine: apt-get install chromium"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    # Playwright denies storage to frames of another site by one long switch; the last of its kind counts, so this
    # harmless one leaves storage partitioned, as it is in people's browsers.
    "--disable-features=MediaRouter",
]
