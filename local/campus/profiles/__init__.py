"""The platforms that Campus plays: one file each, listed here."""

from local.campus.profile import Profile
from local.campus.profiles.blackboard import Blackboard
from local.campus.profiles.brightspace import Brightspace
from local.campus.profiles.canvas import Canvas
from local.campus.profiles.moodle import Moodle
from local.campus.profiles.sakai import Sakai

PROFILES: tuple[type[Profile], ...] = (Canvas, Moodle, Blackboard, Brightspace, Sakai)
