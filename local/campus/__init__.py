"""Campus: a pretend LMS with several platforms under one roof, for developing and testing one LTI tool.

    python -m local.campus --port 8090 --tool-url http://localhost:8080

prints `campus ready at http://127.0.0.1:8090` and serves until SIGTERM or Ctrl-C. `--port 0` takes a free port.
Everything is in memory. Campus shares no code with the tool and reads JWTs with another library, so that one misreading
of the specifications does not hide another. A platform is one file in `profiles/`.

Pages
-----
`/` the platforms · `/PROFILE/` choose a person · `/PROFILE/?as=KEY` their courses · `/PROFILE/courses/ID?as=KEY` a
course with activities, gradebook, members · `.../activities/ID?as=KEY` an activity in a frame ·
`.../activities/ID/launch?as=KEY` the launch itself · `.../add?as=KEY` the tool's picker in a frame ·
`/PROFILE/courses/ID/two?as=KEY&and=KEY` two people's launches in two frames of one page (`&activity=ID`; else the
course's first) · `.../review/LINEITEM/LEARNER?as=KEY` a learner's work in a frame, for staff · `/log` · `/faults`.
PROFILE is `canvas` or `moodle`; KEY is `teacher`, `ta`, `student1`, `student2`, `student3`, `observer` or `admin`, on
Canvas also `preview`, the test student, and `visitor`, who is not signed in: no `sub`.

Links are named "Sign in as NAME", "Open here: TITLE", "Open in a new window: TITLE", "Add activities from the tool",
"Open the work of NAME: COLUMN" and "Back to COURSE"; `data-testid` has `as-KEY`, `activity-ID`, `open-here-ID`,
`open-window-ID`, `add-activities`, `tool-frame` (with two: `tool-frame-KEY`), `gradebook`, `grade-KEY-LINEITEM` (its
text is `6.75/10`, or `–/10` while empty), `review-KEY-LINEITEM`, `person`, `reason`, `faults-PROFILE`.

Messages between frames
-----------------------
Canvas only. Beside the tool, and on the course page for windows opened from it (they have an opener), is a hidden frame
`post_message_forwarding` on the origin of the authorization endpoint; `lti_storage_target` names it in the login
initiation and in the authentication response. The page answers `lti.capabilities`, `lti.frameResize` (100 to 5000
pixels) and `lti.close`; the frame `lti.put_data` and `lti.get_data`, 500 keys and 4096 characters in all, for as long
as the page is open. Error codes: `storage_exhaustion`, `bad_request`, `unsupported_subject`, and `wrong_origin` for a
frame or window of Campus that is not at the tool's origin. Any other window hears nothing.

Control API
-----------
JSON in, JSON out; a request that makes no sense gets 400 `{"error": "..."}`.

`GET /control/platforms`
    `[{"profile", "name", "issuer", "client_id", "deployment_id", "auth_url", "token_url", "jwks_url"}]`
`GET /control/PROFILE/courses`
    `{"courses": [{"id", "title", "context_id", "line_items_url", "memberships_url", "members": [{"user", "user_id",
    "name", "role"}], "activities": [ACTIVITY]}]}` where ACTIVITY is `{"id", "title", "text", "resource_link_id",
    "target_link_uri", "custom", "line_item", "line_item_url", "score_maximum"}`; the last three are null when the
    activity has no column. `user` is the KEY, `user_id` what the tool gets.
`POST /control/PROFILE/courses/ID/activities` `{"title"?, "text"?, "custom"?, "target_link_uri"?, "score_maximum"?}`
    201 and the ACTIVITY; without `score_maximum` it has no column.
`POST /control/PROFILE/launch` `{"user", "activity", "document_target"?, ODDITIES}`
`POST /control/PROFILE/deep_linking` `{"user", "course", ODDITIES}`
`POST /control/PROFILE/submission_review` `{"user", "for_user", "activity", ODDITIES}`
    `{"login_url", "fields": {...}}`: a fresh login initiation, to be posted to `login_url` as a form. The
    authentication request that follows needs no cookie and is answered by a page with one form: `id_token`, `state`.
    ODDITIES, for that one launch, are any of `"claims": {NAME: value}` instead of the platform's (null leaves the claim
    out), `"null_claims": [NAME]` sent as null, `"header": {name: value}` of the JWT (null leaves it out; RS256 signs
    whatever `alg` says). NAME is full or short: `roles`, `resource_link`, `endpoint` (AGS), `namesroleservice`, `sub`.
`GET /control/PROFILE/requests`
    `{"jwks": 3, "authorize", "token", "line_items", "line_item", "scores", "results", "memberships",
    "deep_linking_return"}`: how many came since the last reset. The log keeps the last thousand messages only.
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
    `{PROFILE: {"token_down", "jwks_down", "slow_seconds", "slow_jwks_seconds", "rate_limited": {"retry_after",
    "count"}, "server_error": {"count"}, "hold_scores", "drop_connections": {"jwks", "token", "scores"}, "storage_off",
    "launch": null | {"clock_skew_seconds", "wrong", "expired", "unknown_kid", "missing", "error", "count"}}}`
`POST /control/faults` `{"platform"?: PROFILE | "all", ...}`
    sets the faults that it names, leaves the others, and answers as the GET. A `count` wears off with each service
    request; without it the fault stays. `token_down` and `jwks_down` answer 503; `rate_limited` 429 with
    `Retry-After`; `server_error` 500; `slow_seconds` delays key set, token and service answers; `hold_scores` stores a
    score and then keeps its answer back for 20 s, or until it is set to false. `slow_jwks_seconds` delays the key set
    in addition; `drop_connections` `{"jwks"?, "token"?, "scores"?: bool}` closes the connection without an answer, and
    stores nothing; `storage_off` switches platform storage off. `launch` spoils launches that would be right, with any
    of its members; it replaces the one before, null ends it, `count` launches wear it off: `clock_skew_seconds` shifts
    `iat` and `exp` (above 0: the platform's clock is fast); `wrong` is `nonce`, `aud`, `iss`, `azp`, `deployment_id`,
    `target_link_uri`, `signature`, `version` or `message_type`; `expired`: five minutes ago; `unknown_kid`: a new one
    each time; `missing`: NAMEs of claims; `error` is posted to the tool instead of an id_token. `"rotate_keys": true`
    rotates once: a platform that announces its next key needs two rotations before a key signs that nobody has seen.
    `"clear": true`, or nothing but a platform, clears.
`POST /control/reset`
    204. Courses, marks, faults and log as on the first day. Keys, registrations, course and user ids stay; activity,
    line item and resource link ids are never used again, so that a tool that remembers them is not confused.
"""
