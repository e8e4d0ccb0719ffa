"""KMS: the tool's signing key. The private half never leaves it."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from lti_tool.domain.errors import StoreUnavailableError
from lti_tool.domain.jwks import ToolKey

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

LARGEST_RAW_MESSAGE = 4096  # bytes that KMS hashes itself; longer ones are hashed here


class KmsSigner:
    def __init__(self, client: KMSClient, key_id: str) -> None:
        self._client = client
        self._key_id = key_id
        self._public_key: ToolKey | None = None

    def public_keys(self) -> Sequence[ToolKey]:
        return (self._key(),)

    def require_usable(self) -> None:
        try:
            key = self._client.describe_key(KeyId=self._key_id)["KeyMetadata"]
        except (ClientError, BotoCoreError) as error:
            raise StoreUnavailableError("signing_key") from error
        if not key.get("Enabled"):
            raise StoreUnavailableError("signing_key")

    def sign(self, claims: dict[str, Any]) -> str:
        header = {"alg": "RS256", "typ": "JWT", "kid": self._key().kid}
        message = b".".join(_base64url(json.dumps(part, separators=(",", ":")).encode()) for part in (header, claims))
        digested = len(message) > LARGEST_RAW_MESSAGE
        try:
            answer = self._client.sign(
                KeyId=self._key_id,
                Message=hashlib.sha256(message).digest() if digested else message,
                MessageType="DIGEST" if digested else "RAW",
                SigningAlgorithm="RSASSA_PKCS1_V1_5_SHA_256",
            )
        except (ClientError, BotoCoreError) as error:
            raise StoreUnavailableError("sign") from error
        return (message + b"." + _base64url(answer["Signature"])).decode()

    def _key(self) -> ToolKey:
        if self._public_key is None:
            try:
                answer = self._client.get_public_key(KeyId=self._key_id)
            except (ClientError, BotoCoreError) as error:
                raise StoreUnavailableError("public_key") from error
            key = load_der_public_key(answer["PublicKey"])
            if not isinstance(key, RSAPublicKey):
                raise StoreUnavailableError("public_key")
            numbers = key.public_numbers()
            self._public_key = ToolKey(numbers.n, numbers.e)
        return self._public_key


def _base64url(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")
