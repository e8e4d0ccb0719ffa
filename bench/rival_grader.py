# mypy: ignore-errors
"""Scores as pylti1p3 sends them."""

from datetime import UTC, datetime

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from pylti1p3.assignments_grades import AssignmentsGradesService
from pylti1p3.grade import Grade
from pylti1p3.registration import Registration
from pylti1p3.service_connector import ServiceConnector


class Grader:
    """Posts scores one after another, with pylti1p3's own score service and one connection."""

    def __init__(self, issuer: str, client_id: str, url: str, line_item: str) -> None:
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        text = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        registration = Registration().set_issuer(issuer).set_client_id(client_id)
        registration.set_auth_token_url(f"{url}/token").set_tool_private_key(text.decode())
        connector = ServiceConnector(registration)
        scope = "https://purl.imsglobal.org/spec/lti-ags/scope/score"
        self._service = AssignmentsGradesService(connector, {"scope": [scope], "lineitem": line_item})

    def send(self, count: int) -> None:
        for number in range(count):
            grade = Grade().set_user_id(f"rival-{number}").set_score_given(number).set_score_maximum(1000)
            grade.set_timestamp(datetime.now(UTC).isoformat())
            self._service.put_grade(grade.set_activity_progress("Completed").set_grading_progress("FullyGraded"))
