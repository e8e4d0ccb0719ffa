"""Every claim URI, scope and media type, spelled once.

Spec: https://www.imsglobal.org/spec/lti/v1p3/, lti-dl/v2p0, lti-ags/v2p0, lti-nrps/v2p0
"""

from typing import Final

_LTI: Final = "https://purl.imsglobal.org/spec/lti/claim/"
_DL: Final = "https://purl.imsglobal.org/spec/lti-dl/claim/"

MESSAGE_TYPE: Final = _LTI + "message_type"
VERSION: Final = _LTI + "version"
DEPLOYMENT_ID: Final = _LTI + "deployment_id"
TARGET_LINK_URI: Final = _LTI + "target_link_uri"
RESOURCE_LINK: Final = _LTI + "resource_link"
ROLES: Final = _LTI + "roles"
CONTEXT: Final = _LTI + "context"
LAUNCH_PRESENTATION: Final = _LTI + "launch_presentation"
CUSTOM: Final = _LTI + "custom"
FOR_USER: Final = _LTI + "for_user"

DEEP_LINKING_SETTINGS: Final = _DL + "deep_linking_settings"
CONTENT_ITEMS: Final = _DL + "content_items"
DATA: Final = _DL + "data"

ENDPOINT: Final = "https://purl.imsglobal.org/spec/lti-ags/claim/endpoint"
NAMES_ROLE_SERVICE: Final = "https://purl.imsglobal.org/spec/lti-nrps/claim/namesroleservice"

LTI_VERSION: Final = "1.3.0"
RESOURCE_LINK_REQUEST: Final = "LtiResourceLinkRequest"
DEEP_LINKING_REQUEST: Final = "LtiDeepLinkingRequest"
SUBMISSION_REVIEW_REQUEST: Final = "LtiSubmissionReviewRequest"
DEEP_LINKING_RESPONSE: Final = "LtiDeepLinkingResponse"

SCORE_SCOPE: Final = "https://purl.imsglobal.org/spec/lti-ags/scope/score"
RESULT_SCOPE: Final = "https://purl.imsglobal.org/spec/lti-ags/scope/result.readonly"
LINE_ITEM_SCOPE: Final = "https://purl.imsglobal.org/spec/lti-ags/scope/lineitem"
LINE_ITEM_READ_SCOPE: Final = "https://purl.imsglobal.org/spec/lti-ags/scope/lineitem.readonly"
PUBLIC_JWK_SCOPE: Final = "https://canvas.instructure.com/lti/public_jwk/scope/update"  # Canvas' own
LINE_ITEM_MEDIA_TYPE: Final = "application/vnd.ims.lis.v2.lineitem+json"
LINE_ITEMS_MEDIA_TYPE: Final = "application/vnd.ims.lis.v2.lineitemcontainer+json"
RESULTS_MEDIA_TYPE: Final = "application/vnd.ims.lis.v2.resultcontainer+json"
SCORE_MEDIA_TYPE: Final = "application/vnd.ims.lis.v1.score+json"

JWT_BEARER: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
