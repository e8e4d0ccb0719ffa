"""Campus: a pretend LMS with several platforms under one roof, for developing and testing one LTI tool.

    python -m local.campus --port 8090 --tool-url http://localhost:8080 --profiles all

prints `campus ready at http://127.0.0.1:8090` and serves until SIGTERM or Ctrl-C. `--port 0` takes a free port.
`--profiles` is `all` or some of `canvas,moodle,blackboard,brightspace,sakai`; without it `canvas,moodle`.
Everything is in memory. Campus shares no code with the tool and reads JWTs with another library, so that one misreading
of the specifications does not hide another. A platform is one file in `profiles/`.

Pages
-----
`/` the platforms · `/PROFILE/` choose a person · `/PROFILE/?as=KEY` their courses · `/PROFILE/courses/ID?as=KEY` a
course with activities, gradebook, members · `.../activities/ID?as=KEY` an activity in a frame ·
`.../activities/ID/launch?as=KEY` the launch itself · `.../add?as=KEY` the tool's picker in a frame ·
`/PROFILE/courses/ID/two?as=KEY&and=KEY` two people's launches in two frames of one page (`&activity=ID`; else the
course's first) · `.../review/LINEITEM/LEARNER?as=KEY` a learner's work in a frame, for staff · `/log` · `/faults` ·
`/PROFILE/?as=admin` the registered tools, and a form that opens `/PROFILE/register?as=admin&url=URL`, where the tool's
registration page is in a frame, or behind a link for a window.
PROFILE is `canvas`, `moodle`, `blackboard`, `brightspace` or `sakai`; KEY is `teacher`, `ta`, `student1`, `student2`,
`student3`, `observer` or `admin`, on Canvas also `preview`, the test student, and `visitor`, who is not signed in: no
`sub`.

Links are named "Sign in as NAME", "Open here: TITLE", "Open in a new window: TITLE", "Add activities from the tool",
"Open the work of NAME: COLUMN" and "Back to COURSE"; `data-testid` has `as-KEY`, `activity-ID`, `open-here-ID`,
`open-window-ID`, `add-activities`, `tool-frame` (with two: `tool-frame-KEY`), `gradebook`, `grade-KEY-LINEITEM` (its
text is `6.75/10`, or `–/10` while empty), `review-KEY-LINEITEM`, `person`, `reason`, `faults-PROFILE`,
`registration-url`, `register`, `registration-frame`, `open-registration`, and for each tool `registration-CLIENT`,
`state-CLIENT`, `activate-CLIENT`, `use-CLIENT`.

Registrations
-------------
Each platform knows one tool from the first day, with the ids of `GET /control/platforms`, and any number by dynamic
registration. These are `pending` until an administrator confirms (Canvas), activates (Moodle), deploys (Blackboard) or
creates a deployment (Brightspace); on Sakai they are `active` at once. The newest active one is *in use*: it opens the
activities that belong to no tool in particular, those of the first day and those made by hand. What a tool's deep
linking response added belongs to that tool. A platform's registrations share its courses and line items.
Only Brightspace refuses a second tool with the same name or domain; the fixed one does not count.

Messages between frames
-----------------------
On the registration page an object `{"subject": "org.imsglobal.lti.close"}` (on Sakai also `lti.close`) from the tool's
frame or window leads back to the list of tools, and closes the window. Everything else is Canvas only. Beside the tool,
and on the course page for windows opened from it (they have an opener), is a hidden frame `post_message_forwarding` on
the origin of the authorization endpoint; `lti_storage_target` names it in the login initiation and in the
authentication response. The page answers `lti.capabilities`, `lti.frameResize` (100 to 5000 pixels) and `lti.close`;
the frame `lti.put_data` and `lti.get_data`, 500 keys and 4096 characters in all, for as long as the page is open. Error
codes: `storage_exhaustion`, `bad_request`, `unsupported_subject`, and `wrong_origin` for a frame or window of Campus
that is not at the tool's origin. Any other window hears nothing.

Control API
-----------
JSON in, JSON out; a request that makes no sense gets 400 `{"error": "..."}`.

`GET /control/platforms`
    `[{"profile", "name", "issuer", "client_id", "deployment_id", "auth_url", "token_url", "jwks_url", "token_audience",
    "login_method"}]`. `token_audience` is what client assertions must name as `aud`, null when that is the token URL;
    `login_method` how the platform's pages bring a login initiation, `GET` (Blackboard) or `POST`.
`GET /control/PROFILE/courses`
    `{"courses": [{"id", "title", "context_id", "line_items_url", "memberships_url", "members": [{"user", "user_id",
    "name", "role"}], "activities": [ACTIVITY]}]}` where ACTIVITY is `{"id", "title", "text", "resource_link_id",
    "target_link_uri", "custom", "line_item", "line_item_url", "score_maximum"}`; the last three are null when the
    activity has no column. `user` is the KEY, `user_id` what the tool gets.
`POST /control/PROFILE/courses/ID/activities` `{"title"?, "text"?, "custom"?, "target_link_uri"?, "score_maximum"?}`
    201 and the ACTIVITY; without `score_maximum`, and always on Brightspace, it has no column.
`POST /control/PROFILE/launch` `{"user", "activity", "document_target"?, "client_id"?, ODDITIES}`
`POST /control/PROFILE/deep_linking` `{"user", "course", "client_id"?, ODDITIES}`
`POST /control/PROFILE/submission_review` `{"user", "for_user", "activity", "client_id"?, ODDITIES}`
    `{"login_url", "method": "GET" | "POST", "fields": {...}}`: a fresh login initiation, to be brought to `login_url`
    as a form, or as a query where the method is GET. The authentication request that follows needs no cookie and is
    answered by a page with one form: `id_token`, `state`. Without `client_id` it is for the tool that the activity
    belongs to, or for the one in use; a pending one is refused with 400.
`POST /control/canvas/launch` or `/deep_linking` `{"user", "placement", "course"?, "activity"?, "client_id"?, ODDITIES}`
    From a placement, with the message type, target and custom fields that it is configured for; `course` is the first
    one unless named. Without an activity the resource link is the context, as in Canvas.
    ODDITIES, for that one launch, are any of `"claims": {NAME: value}` instead of the platform's (null leaves the claim
    out), `"null_claims": [NAME]` sent as null, `"header": {name: value}` of the JWT (null leaves it out; RS256 signs
    whatever `alg` says). NAME is full or short: `roles`, `resource_link`, `endpoint` (AGS), `namesroleservice`, `sub`.
`POST /control/canvas/configuration` `{"url", "client_id"?, "region"?, "environment"?, "redirect_uris"?}`
    Fetches the tool's configuration JSON, as a developer key by URL does, for the registration in use or the named one:
    its addresses, keys, scopes, privacy level, custom fields and placements count from now on, the redirect URIs so far
    stay, beside those given. `region` (else `not_configured`) chooses among `oidc_initiation_urls` and is sent as
    `canvas_region`, `environment` (else `prod`) as `canvas_environment`. 200 and the REGISTRATION with
    `"placements": [PLACEMENT]`, or 422 `{"errors": ["title is required", ...]}` and nothing is changed.
`GET /control/canvas/placements?client_id=`
    `{"placements": [{"placement", "message_type", "target_link_uri", "label", "custom", "settings"}]}`, also those of a
    dynamic registration. A placement that is not `enabled` is not there.
`POST /control/PROFILE/dynamic_registration` `{"expires_in_seconds"?}`
    `{"openid_configuration", "registration_token"}`, as an administrator's browser would bring them to the tool's
    registration URL. Blackboard's token never expires unless told to; the others die after an hour.
`GET /control/PROFILE/registrations`
    `{"registrations": [REGISTRATION]}`, the fixed one first. REGISTRATION is `{"client_id", "deployment_id", "name",
    "fixed", "state": "pending" | "active", "in_use", "initiate_login_uri", "redirect_uris", "target_link_uri",
    "jwks_uri", "token_url", "scope": "as granted", "claims": ["as asked"], "shares": ["name", ...], "messages",
    "custom", "withheld"}`.
`POST /control/PROFILE/registrations/CLIENT_ID/activate`
    The REGISTRATION, active and in use.
`POST /control/brightspace/registrations/CLIENT_ID/security_settings` `{"org_unit"?, "user"?, "link"?: bool}`
    What the deployment shares, all of it unless told otherwise: without `org_unit` no context, without `user` neither
    names nor e-mail, without `link` a resource link that has an id only. The REGISTRATION, with `withheld`.
`GET /control/PROFILE/requests`
    `{"jwks": 3, "authorize", "token", "line_items", "line_item", "scores", "results", "memberships",
    "deep_linking_return", "openid_configuration", "registration", "public_jwk"}`: how many came since the last reset.
    The log keeps the last thousand messages only.
`GET /control/PROFILE/gradebook`
    `{"courses": [{"id", "title",
    "line_items": [{"id", "url", "label", "score_maximum", "resource_id", "tag", "activity", "made_by_tool"}],
    "cells": [{"user", "user_id", "line_item", "line_item_url", "score", "score_maximum", "comments": [...],
    "attempts": [...], "posts": [{"received_at", "timestamp", "score_given", "score_maximum", "activity_progress",
    "grading_progress", "comment", "effect": "graded" | "cleared" | "kept"}], "refused": ["why", ...]}]}]}`.
    A learner whom no score ever reached has no cell. `posts` are the accepted ones, in order.
`GET /control/log`
    `{"entries": [{"number", "time", "platform", "direction", "what", "outcome", "ok", "details"}]}`, oldest first.
    `direction` is `platform → tool` or `tool → platform`.
`GET /control/faults`
    `{PROFILE: {"token_down", "jwks_down", "jwks_missing", "jwks_without_rsa", "authorize_down", "refuses_key",
    "token_audience": null | text, "refused_scopes": [SCOPE], "clock_skew_seconds", "slow_seconds", "slow_jwks_seconds",
    "rate_limited": {"retry_after", "count"}, "server_error": {"count"}, "hold_scores",
    "drop_connections": {"jwks", "authorize", "token", "scores"}, "storage_off",
    "launch": null | {"clock_skew_seconds", "wrong", "expired", "unknown_kid", "missing", "error", "count"},
    "registration": null | {"issuer_mismatch", "http_endpoints", "private_endpoints", "redirects", "giant", "not_json",
    "slow_seconds", "at", "refuses"}, "services": null | {"refuses", "users", "count"}}}`
`POST /control/faults` `{"platform"?: PROFILE | "all", ...}`
    sets the faults that it names, leaves the others, and answers as the GET. A `count` wears off with each service
    request; without it the fault stays. `token_down`, `jwks_down` and `authorize_down` answer 503; `rate_limited` 429
    with `Retry-After`; `server_error` 500; `slow_seconds` delays key set, token and service answers; `hold_scores`
    stores a score and then keeps its answer back for 20 s, or until it is set to false. `slow_jwks_seconds` delays the
    key set in addition; `drop_connections` `{"jwks"?, "authorize"?, "token"?, "scores"?: bool}` closes the connection
    without an answer, and stores nothing; `storage_off` switches platform storage off. `jwks_missing` answers 404,
    `jwks_without_rsa` a key set with an elliptic curve key only. At the token endpoint `refuses_key` does as if the
    tool's key set could not be fetched, `token_audience` has to stand in `aud` instead of what is usual,
    `refused_scopes` are not granted, each in the platform's own form. `clock_skew_seconds` puts the platform's clock
    ahead, or back: the header `Date`, and all that it judges by the time. `launch` spoils launches that would be right,
    with any of its members; it replaces the one before, null ends it, `count` launches wear it off:
    `clock_skew_seconds` shifts `iat` and `exp` (above 0: the platform's clock is fast); `wrong` is `nonce`, `aud`,
    `iss`, `azp`, `deployment_id`, `target_link_uri`, `signature`, `version` or `message_type`; `expired`: five minutes
    ago; `unknown_kid`: a new one each time; `missing`: NAMEs of claims; `error` is posted to the tool instead of an
    id_token. `registration` spoils dynamic registrations; it replaces the one before, null ends it. In the
    configuration `issuer_mismatch` makes the issuer `https://elsewhere.example`; `http_endpoints` and
    `private_endpoints`, true or a list of `authorization_endpoint`, `registration_endpoint`, `jwks_uri`,
    `token_endpoint`, move these to `http://lms.example` and `https://10.0.0.1`. `redirects` (307 to the right answer),
    `giant` (64 MiB), `not_json` (a page) and `slow_seconds` spoil the answer that `at` names, `configuration` unless it
    is `registration`; `refuses` is an error code for every tool, in the platform's own form. `services` refuses service
    requests that would be right; it replaces the one before, null ends it, `count` requests wear it off. It `refuses`,
    at every service, by `times_out` (no answer until it is ended, or for 20 s, and then none; nothing is stored),
    `token_expired` (401) or `throttled` (403 `403 Forbidden (Rate Limit Exceeded)`, Canvas until October 2025); at a
    column by `column_gone` (404); at scores by `column_locked`, `course_concluded`, `user_unknown` or `user_suspended`,
    as the platform words it: suspended sounds like unknown. `users` are the KEYs whose scores are meant; without it
    everybody's. `"rotate_keys": true`
    rotates once: a platform that announces its next key needs two rotations before a key signs that nobody has seen.
    `"clear": true`, or nothing but a platform, clears.
`POST /control/reset`
    204. Courses, marks, faults and log as on the first day; registrations but the fixed one are gone, and what Canvas
    read in a configuration. Keys, course and user ids stay; activity, line item, resource link and client ids are never
    used again, so that a tool that remembers them is not confused.
"""
