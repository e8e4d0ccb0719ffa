"""Open edX's LTI platform, the package `lti-consumer-xblock`, as a server on loopback.

Its own views and models decide about our requests and signatures. Ours is what stands around it: settings, one
placement of the tool in a course, a page that starts a launch and one that shows what the platform has kept.
The package comes with its own licence (AGPL) and its own environment: it runs beside the tests and nowhere else.
It reads the tool's URL as a line, prints what a tool needs to register it as a line of JSON, and ends when its
standard input does.
"""

# Django wants its settings before its modules are imported; the package has no types.
# ruff: noqa: E402
# mypy: ignore-errors

import json
import secrets
import sys
import threading
from wsgiref.simple_server import make_server

import django
from django.conf import settings

server = make_server("127.0.0.1", 0, None)
platform_url = f"http://127.0.0.1:{server.server_port}"
settings.configure(
    ALLOWED_HOSTS=["127.0.0.1"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "lti_consumer"],
    LMS_ROOT_URL=platform_url,
    MIDDLEWARE=[
        "edx_django_utils.cache.middleware.RequestCacheMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
    ],
    MIGRATION_MODULES={"contenttypes": None, "auth": None, "lti_consumer": None},  # tables as the models say, at once
    PLATFORM_NAME="An independent platform",
    ROOT_URLCONF=__name__,
    SECRET_KEY=secrets.token_urlsafe(),
    SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies",
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}],
    USAGE_ID_PATTERN=r"(?P<usage_id>[^/]+)",
    USE_TZ=True,
)
django.setup()

from django.core.handlers.wsgi import WSGIHandler
from django.core.management import call_command
from django.http import HttpRequest, HttpResponseRedirect, JsonResponse
from django.urls import include, path
from lti_consumer import api
from lti_consumer.data import Lti1p3LaunchData
from lti_consumer.models import Lti1p3Passport, LtiAgsLineItem, LtiAgsScore, LtiConfiguration, LtiDlContentItem
from lti_consumer.plugin import compat
from opaque_keys.edx.keys import UsageKey

BLOCK = UsageKey.from_string("block-v1:Uni+Geo101+2026+type@lti_consumer+block@rivers")
compat.user_has_studio_write_access = lambda *_: True  # who may edit a course: the rest of Open edX would say


def place_tool(tool_url):
    """One block of a course that shows the tool, with deep linking and a gradebook column of its own."""
    placed = LtiConfiguration.objects.create(
        version=LtiConfiguration.LTI_1P3,
        config_store=LtiConfiguration.CONFIG_ON_DB,
        location=BLOCK,
        lti_1p3_passport=Lti1p3Passport.objects.create(lti_1p3_tool_keyset_url=f"{tool_url}/lti/jwks.json"),
        lti_1p3_oidc_url=f"{tool_url}/lti/login",
        lti_1p3_launch_url=f"{tool_url}/lti/launch",
        lti_advantage_deep_linking_enabled=True,
        lti_advantage_deep_linking_launch_url=f"{tool_url}/lti/launch",
    )
    # Not tied to the block: Open edX then keeps the scores here and does not look for its courseware.
    LtiAgsLineItem.objects.create(lti_configuration=placed, label="Rivers", score_maximum=100)
    return placed


def launch_data(role):
    return Lti1p3LaunchData(
        user_id=role,
        user_role=role,
        config_id=placement.config_id,
        resource_link_id=str(BLOCK),
        external_user_id=f"external-{role}",
        name=f"A {role}",
        email=f"{role}@example.org",
        launch_presentation_document_target="iframe",
        context_id=str(BLOCK.course_key),
        context_type=["course_offering"],
        context_title="Rivers of the world",
        context_label="Geo101",
    )


def start(request: HttpRequest):
    """Send the browser to the tool, as the course page does: `?role=`, and `deep_linking=1` or `content_item=ID`."""
    url = api.get_lti_1p3_launch_start_url(
        launch_data(request.GET["role"]),
        deep_link_launch="deep_linking" in request.GET,
        dl_content_id=request.GET.get("content_item"),
    )
    return HttpResponseRedirect(url)


def kept(_: HttpRequest):
    """The content items and scores that the platform has accepted."""
    items = [
        {"id": item.pk, "type": item.content_type, **item.attributes}
        for item in LtiDlContentItem.objects.order_by("pk")
    ]
    scores = LtiAgsScore.objects.values("user_id", "score_given", "score_maximum", "grading_progress")
    return JsonResponse({"content_items": items, "scores": list(scores)})


call_command("migrate", run_syncdb=True, verbosity=0)
placement = place_tool(sys.stdin.readline().strip())
urlpatterns = [path("api/", include("lti_consumer.plugin.urls")), path("start", start), path("kept", kept)]
server.set_app(WSGIHandler())
told = api.get_lti_1p3_launch_info(launch_data("instructor"))
print(json.dumps({"issuer": platform_url, **told}), flush=True)
threading.Thread(target=lambda: (sys.stdin.read(), server.shutdown()), daemon=True).start()
server.serve_forever(poll_interval=0.05)
