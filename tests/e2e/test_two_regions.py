"""Two regions side by side: two stacks with one registrations table, and one platform, registered once."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest
import requests

from local.lti import register_campus
from tests.e2e.world import Visitor, World, eventually, local_stack, session_in

pytestmark = pytest.mark.e2e
HOME, ABROAD = "us-east-1", "eu-west-1"
BOTH = (HOME, ABROAD)


@dataclass(frozen=True, slots=True, kw_only=True)
class Regions:
    """The tool in two regions, and Campus beside them; `key_sets` are what each published when both stood."""

    worlds: dict[str, World]
    running: dict[str, ExitStack]
    key_sets: dict[str, list[dict[str, str]]]

    def visitor(self, region: str, user: str) -> Visitor:
        """Somebody at an institution whose Canvas is in this region."""
        settings = {
            "url": f"{self.worlds[HOME].tool_url}/lti/canvas.json",
            "region": region,
            "redirect_uris": [f"{world.tool_url}/lti/launch" for world in self.worlds.values()],
        }
        self.worlds[region].control("canvas/configuration", settings)
        return Visitor(world=self.worlds[region], profile="canvas", user=user)

    @contextmanager
    def without(self, region: str) -> Iterator[None]:
        """Stop a region; at the end it comes back, joined to the one that went on."""
        (other,) = set(BOTH) - {region}
        world = self.worlds[region]
        self.running[region].close()
        try:
            yield
        finally:
            port = world.tool_url.rsplit(":", 1)[-1]
            joins = {"CAMPUS": "0", "REGION": region, "JOIN": str(self.worlds[other].local_dir), "TOOL_PORT": port}
            self.running[region].enter_context(local_stack(world.local_dir, **joins))


@contextmanager
def campus(tool_url: str) -> Iterator[str]:
    command = [sys.executable, "-m", "local.campus", "--port", "0", "--tool-url", tool_url, "--profiles", "canvas"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().removeprefix("campus ready at ").strip()
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def regions(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Regions]:
    folders = {region: tmp_path_factory.mktemp(region) for region in BOTH}
    running = {region: ExitStack() for region in BOTH}
    with running[HOME], running[ABROAD]:
        worlds = {HOME: running[HOME].enter_context(local_stack(folders[HOME], CAMPUS="0", REGION=HOME))}
        worlds[ABROAD] = running[ABROAD].enter_context(
            local_stack(folders[ABROAD], CAMPUS="0", REGION=ABROAD, JOIN=str(folders[HOME]))
        )
        key_sets = {region: world.tool("GET", "/lti/jwks.json").json()["keys"] for region, world in worlds.items()}
        with campus(worlds[HOME].tool_url) as url:
            worlds = {region: replace(world, campus_url=url) for region, world in worlds.items()}
            register_campus(folders[HOME], worlds[HOME].control("platforms"))
            eventually(lambda: "canvas" in worlds[ABROAD].lti("platform", "list").stdout)
            yield Regions(worlds=worlds, running=running, key_sets=key_sets)


def test_either_key_set_lists_the_keys_of_both(regions: Regions) -> None:
    at_home, abroad = ({key["kid"] for key in regions.key_sets[region]} for region in BOTH)

    assert at_home == abroad
    assert len(at_home) == 2
    assert regions.key_sets[HOME][0] == regions.key_sets[ABROAD][1]  # each region's own comes first


@pytest.mark.parametrize("asked", BOTH)
def test_either_configuration_names_the_login_of_both(regions: Regions, asked: str) -> None:
    configuration = regions.worlds[asked].tool("GET", "/lti/canvas.json").json()

    assert configuration["oidc_initiation_urls"] == {
        region: f"{world.tool_url}/lti/login" for region, world in regions.worlds.items()
    }


@pytest.mark.parametrize("asked", BOTH)
def test_the_doctor_finds_both_regions_well(regions: Regions, asked: str) -> None:
    doctor = regions.worlds[asked].lti("doctor")

    assert (doctor.returncode, json.loads(doctor.stdout)["findings"]) == (0, [])


@pytest.mark.parametrize("region", BOTH)
def test_a_login_begins_and_ends_in_the_region_of_the_institution(regions: Regions, region: str) -> None:
    student = regions.visitor(region, "student1")

    login = student.logs_in("launch", activity=student.course()["activities"][0]["id"])
    launch = regions.worlds[region].tool("GET", "/api/session", session_in(student.launches(login)))

    assert login.launch_url == f"{regions.worlds[region].tool_url}/lti/launch"
    assert launch.json()["context"]["title"] == student.course()["title"]


def test_what_a_teacher_picked_abroad_opens_at_home(regions: Regions) -> None:
    regions.visitor(ABROAD, "teacher").picks("photosynthesis")
    student = regions.visitor(HOME, "student1")

    session = student.opens(student.activity_called("Photosynthesis")["id"])

    assert regions.worlds[HOME].tool("GET", "/api/activity", session).json()["activity"]["id"] == "photosynthesis"


@pytest.mark.parametrize("stopped", BOTH)
def test_a_region_goes_on_when_the_other_stops(regions: Regions, stopped: str) -> None:
    (other,) = set(BOTH) - {stopped}
    student = regions.visitor(other, "student2")
    activity = student.course()["activities"][0]["id"]
    begun = student.logs_in("launch", activity=activity)

    with regions.without(stopped):
        with pytest.raises(requests.ConnectionError):
            regions.worlds[stopped].tool("GET", "/health")
        completed = student.launches(begun)
        afterwards = student.launches(student.logs_in("launch", activity=activity))

    assert (completed.status_code, afterwards.status_code) == (200, 200)
    again: Any = regions.visitor(stopped, "student3")
    assert again.launches(again.logs_in("launch", activity=activity)).status_code == 200
