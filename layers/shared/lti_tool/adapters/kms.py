"""KMS: the tool's signing keys. Their private halves never leave it."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from lti_tool.domain.errors import StoreUnavailableError
from lti_tool.domain.jwks import ToolKey
from lti_tool.domain.keyring import KeyRing
from lti_tool.domain.registration import RegistrationReference
from lti_tool.use_cases.ports import Clock, KeyRings

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_kms.type_defs import KeyMetadataTypeDef

LARGEST_RAW_MESSAGE = 4096  # bytes that KMS hashes itself; longer ones are hashed here
RING_BELIEVED = timedelta(seconds=60)
OUT_OF_SERVICE = {"DisabledException", "KMSInvalidStateException", "NotFoundException"}
STACK_TAG, ROTATION_TAG = "lti:stack", "lti:rotation"
"""On every key of the tool, and what the policies in template.yaml go by; on the keys that a rotation made."""


@contextmanager
def _kms(what: str) -> Iterator[None]:
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        raise StoreUnavailableError(what) from error


def _is_out_of_service(error: StoreUnavailableError) -> bool:
    """The key is disabled, on its way out, or gone."""
    cause = error.__cause__
    return isinstance(cause, ClientError) and cause.response.get("Error", {}).get("Code") in OUT_OF_SERVICE


class KmsSigner:
    """Signs with the key that the region's key ring names; where there is no ring yet, with the stack's first key.

    The ring is believed for a minute, and read anew when the key turns out to be out of service.
    """

    def __init__(
        self, client: KMSClient, first_key_id: str, rings: KeyRings | None = None, clock: Clock | None = None
    ) -> None:
        self._client = client
        self._first_key_id = first_key_id
        self._rings = rings
        self._clock = clock or _utc_now
        self._first_key: ToolKey | None = None
        self._believed: tuple[datetime, str, str | None] | None = None
        self._ring = KeyRing()

    def public_keys(self) -> Sequence[ToolKey]:
        return (self._first(),)

    def key_id(self) -> str:
        """The id in KMS of the key that signs."""
        return self._in_force()[0]

    def kid(self) -> str:
        return self._in_force()[1] or self._first().kid

    def require_usable(self) -> None:
        key_id = self.key_id()
        with _kms("signing_key"):
            key = self._client.describe_key(KeyId=key_id)["KeyMetadata"]
        if not key.get("Enabled"):
            raise StoreUnavailableError("signing_key")

    def kids_for(self, holder: RegistrationReference) -> Sequence[str]:
        signing = self.kid()
        if self._ring.version and self._ring.held.get(holder) != signing:
            self._believed = None  # the key that signs may be on its way there at this very moment
            signing = self.kid()
        return [key.kid for key in self._ring.keys_for(holder)] or [signing]

    def sign(self, claims: dict[str, Any], kid: str | None = None) -> str:
        key_id = self.key_id()
        try:
            if kid is not None and (key := self._ring.find(kid)) is not None:
                return self._signed(key.key_id, kid, claims)
            return self._signed(key_id, self.kid(), claims)
        except StoreUnavailableError as error:
            if not _is_out_of_service(error):
                raise
            self._believed = None  # it was revoked while we believed in it
            if (another := self.key_id()) == key_id and kid is None:
                raise
            return self._signed(another, self.kid(), claims)

    def _signed(self, key_id: str, kid: str, claims: dict[str, Any]) -> str:
        header = {"alg": "RS256", "typ": "JWT", "kid": kid}
        message = b".".join(_base64url(json.dumps(part, separators=(",", ":")).encode()) for part in (header, claims))
        digested = len(message) > LARGEST_RAW_MESSAGE
        with _kms("sign"):
            answer = self._client.sign(
                KeyId=key_id,
                Message=hashlib.sha256(message).digest() if digested else message,
                MessageType="DIGEST" if digested else "RAW",
                SigningAlgorithm="RSASSA_PKCS1_V1_5_SHA_256",
            )
        return (message + b"." + _base64url(answer["Signature"])).decode()

    def _in_force(self) -> tuple[str, str | None]:
        """The id in KMS and the `kid` of the key that signs; the first key's `kid` has to be asked of KMS."""
        now = self._clock()
        if self._believed is not None and now - self._believed[0] < RING_BELIEVED:
            return self._believed[1:]
        try:
            ring = self._rings.read() if self._rings is not None else None
        except StoreUnavailableError:
            if self._believed is None:
                raise
            return self._believed[1:]  # KMS will say if it is out of service meanwhile
        self._ring = ring or KeyRing()
        if ring is None or not ring.version:
            self._believed = (now, self._first_key_id, None)
        elif ring.signing is not None:
            self._believed = (now, ring.signing.key_id, ring.signing.kid)
        else:  # it was revoked, and the next one is being made
            raise StoreUnavailableError("signing_key")
        return self._believed[1:]

    def _first(self) -> ToolKey:
        if self._first_key is None:
            self._first_key = _public_key(self._client, self._first_key_id)
        return self._first_key


class KmsVault:
    """Makes and ends signing keys; `stack` is the value of the tag that they all carry."""

    def __init__(self, client: KMSClient, stack: str) -> None:
        self._client = client
        self._stack = stack

    def find(self, rotation: str) -> str | None:
        with _kms("keys"):
            for page in self._client.get_paginator("list_keys").paginate():
                for key in page["Keys"]:
                    if rotation in self._rotations_of(key["KeyId"]):
                        return key["KeyId"]
        return None

    def create(self, rotation: str) -> str:
        tags = {STACK_TAG: self._stack, ROTATION_TAG: rotation}
        with _kms("create_key"):
            answer = self._client.create_key(
                Description="Signs deep linking responses and client assertions.",
                KeySpec="RSA_2048",
                KeyUsage="SIGN_VERIFY",
                Tags=[{"TagKey": name, "TagValue": value} for name, value in tags.items()],
            )
        return answer["KeyMetadata"]["KeyId"]

    def public_key(self, key_id: str) -> ToolKey:
        return _public_key(self._client, key_id)

    def created_at(self, key_id: str) -> datetime:
        with _kms("describe_key"):
            return self._client.describe_key(KeyId=key_id)["KeyMetadata"]["CreationDate"].astimezone(UTC)

    def disable(self, key_id: str) -> None:
        with _kms("disable_key"):
            key = self._described(key_id)
            if key is not None and key["KeyState"] == "Enabled":
                self._client.disable_key(KeyId=key_id)

    def schedule_deletion(self, key_id: str, days: int) -> datetime:
        with _kms("schedule_key_deletion"):
            key = self._described(key_id)
            if key is None:
                return _utc_now()
            at = key.get("DeletionDate")
            if key["KeyState"] != "PendingDeletion" or at is None:
                at = self._client.schedule_key_deletion(KeyId=key_id, PendingWindowInDays=days)["DeletionDate"]
        return at.astimezone(UTC)

    def _described(self, key_id: str) -> KeyMetadataTypeDef | None:
        """`None`: KMS has deleted it already."""
        try:
            return self._client.describe_key(KeyId=key_id)["KeyMetadata"]
        except self._client.exceptions.NotFoundException:
            return None

    def _rotations_of(self, key_id: str) -> set[str]:
        try:
            tags = self._client.list_resource_tags(KeyId=key_id)["Tags"]
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") in {"AccessDeniedException", *OUT_OF_SERVICE}:
                return set()  # not ours, then
            raise
        return {tag["TagValue"] for tag in tags if tag["TagKey"] == ROTATION_TAG}


def _public_key(client: KMSClient, key_id: str) -> ToolKey:
    with _kms("public_key"):
        answer = client.get_public_key(KeyId=key_id)
    key = load_der_public_key(answer["PublicKey"])
    if not isinstance(key, RSAPublicKey):
        raise StoreUnavailableError("public_key")
    numbers = key.public_numbers()
    return ToolKey(numbers.n, numbers.e)


def _base64url(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def _utc_now() -> datetime:
    return datetime.now(UTC)
