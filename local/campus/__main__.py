"""`python -m local.campus`: Campus in the foreground, until it is told to stop."""

from __future__ import annotations

import argparse
import signal
import threading

from werkzeug.serving import make_server

from local.campus.app import create_app
from local.campus.campus import Campus
from local.campus.profiles import PROFILES
from local.campus.serving import CampusHandler


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m local.campus", description="A pretend LMS for one LTI tool.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8090, help="0 takes a free one")
    parser.add_argument("--tool-url", default="http://localhost:8080")
    names = ", ".join(profile.slug for profile in PROFILES)
    parser.add_argument("--profiles", default="canvas,moodle", help=f"some of {names}, with commas; or all")
    arguments = parser.parse_args()
    profiles = [each for each in PROFILES if arguments.profiles == "all" or each.slug in arguments.profiles.split(",")]
    if arguments.profiles != "all" and len(profiles) != len(arguments.profiles.split(",")):
        parser.error(f"--profiles is all or some of {names}")

    # The port is bound first: the addresses that Campus gives out have it in them.
    server = make_server(arguments.host, arguments.port, lambda *_: [], threaded=True, request_handler=CampusHandler)
    url = f"http://{arguments.host}:{server.server_port}"
    server.app = create_app(Campus(url, arguments.tool_url, profiles=profiles))

    def stop(*_: object) -> None:
        # From another thread: shutdown() waits for the loop that this one is in.
        threading.Thread(target=server.shutdown, daemon=True).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    print(f"campus ready at {url}", flush=True)
    server.serve_forever()
    server.server_close()


if __name__ == "__main__":
    main()
