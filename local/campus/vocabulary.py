"""Names from the specifications, as a platform writes them."""

LTI = "https://purl.imsglobal.org/spec/lti/claim/"
DL = "https://purl.imsglobal.org/spec/lti-dl/claim/"
AGS = "https://purl.imsglobal.org/spec/lti-ags/claim/endpoint"
NRPS = "https://purl.imsglobal.org/spec/lti-nrps/claim/namesroleservice"

_AGS_SCOPE = "https://purl.imsglobal.org/spec/lti-ags/scope/"
LINE_ITEM_SCOPE = _AGS_SCOPE + "lineitem"
LINE_ITEM_READ_SCOPE = _AGS_SCOPE + "lineitem.readonly"
RESULT_SCOPE = _AGS_SCOPE + "result.readonly"
SCORE_SCOPE = _AGS_SCOPE + "score"
MEMBERSHIP_SCOPE = "https://purl.imsglobal.org/spec/lti-nrps/scope/contextmembership.readonly"
PUBLIC_JWK_SCOPE = "https://canvas.instructure.com/lti/public_jwk/scope/update"  # Canvas' own
PUBLIC_JWK_TYPE = "application/vnd.ims.lis.v2.publicjwk+json"
AGS_SCOPES = sorted([LINE_ITEM_SCOPE, LINE_ITEM_READ_SCOPE, RESULT_SCOPE, SCORE_SCOPE])

MEMBERSHIP = "http://purl.imsglobal.org/vocab/lis/v2/membership#"
INSTITUTION = "http://purl.imsglobal.org/vocab/lis/v2/institution/person#"
SYSTEM = "http://purl.imsglobal.org/vocab/lis/v2/system/person#"
TEST_USER = "http://purl.imsglobal.org/vocab/lti/system/person#TestUser"
TEACHING_ASSISTANT = "http://purl.imsglobal.org/vocab/lis/v2/membership/Instructor#TeachingAssistant"

LINE_ITEM_TYPE = "application/vnd.ims.lis.v2.lineitem+json"
LINE_ITEMS_TYPE = "application/vnd.ims.lis.v2.lineitemcontainer+json"
SCORE_TYPE = "application/vnd.ims.lis.v1.score+json"
RESULTS_TYPE = "application/vnd.ims.lis.v2.resultcontainer+json"
MEMBERS_TYPE = "application/vnd.ims.lti-nrps.v2.membershipcontainer+json"

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ACTIVITY_PROGRESS = {"Initialized", "Started", "InProgress", "Submitted", "Completed"}
GRADING_PROGRESS = {"FullyGraded", "Pending", "PendingManual", "Failed", "NotReady"}

TOOL_CONFIGURATION = "https://purl.imsglobal.org/spec/lti-tool-configuration"
PLATFORM_CONFIGURATION = "https://purl.imsglobal.org/spec/lti-platform-configuration"
RESOURCE_LINK = "LtiResourceLinkRequest"
DEEP_LINKING = "LtiDeepLinkingRequest"
SUBMISSION_REVIEW = "LtiSubmissionReviewRequest"

_FULL_NAMES = {
    **{
        name: LTI + name
        for name in (
            *("message_type", "version", "deployment_id", "target_link_uri", "roles", "role_scope_mentor", "for_user"),
            *("context", "resource_link", "tool_platform", "launch_presentation", "lis", "custom", "ext"),
            *("lti1p1", "lti11_legacy_user_id"),
        )
    },
    "deep_linking_settings": DL + "deep_linking_settings",
    "endpoint": AGS,
    "namesroleservice": NRPS,
}


def claim(name: str) -> str:
    """A claim's name in full from its short one; a full name, or one like `sub` that has no other, stays."""
    return _FULL_NAMES.get(name, name)
