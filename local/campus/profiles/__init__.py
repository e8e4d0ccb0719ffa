"""The platforms that Campus plays: one file each, listed here."""

from local.campus.profile import Profile
from local.campus.profiles.canvas import Canvas
from local.campus.profiles.moodle import Moodle

PROFILES: tuple[type[Profile], ...] = (Canvas, Moodle)
