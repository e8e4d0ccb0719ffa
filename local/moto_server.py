"""`python -m local.moto_server`: moto's AWS on a free loopback port, in a process of its own, mended where it is wrong.

It is also the guard of the local stack: it leads the process group that every child joins, and when its standard input
closes, because the runner is gone for whatever reason, it ends the whole group.
"""

import base64
import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from functools import cache
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, utils
from moto.core.exceptions import JsonRESTError
from moto.dynamodb.responses import DynamoHandler
from moto.kms.exceptions import ValidationException
from moto.kms.models import Key
from moto.kms.responses import KmsResponse
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

LONGEST_RAW_MESSAGE = 4096
DIGESTS = {"SHA_256": hashes.SHA256(), "SHA_384": hashes.SHA384(), "SHA_512": hashes.SHA512()}


class QuietRequestHandler(MotoRequestHandler):
    """Without a log line per AWS call, and without Nagle's delay."""

    disable_nagle_algorithm = True
    wbufsize = -1

    def log_request(self, *_: Any) -> None: ...


def mend_kms() -> None:
    """Sign like AWS: digests as they are, which moto hashes again; nothing too long; no key that is out of service.

    And a key that is to be deleted is left alone until an operator takes it back.
    """
    moto_sign = KmsResponse.sign

    def sign(self: Any) -> str:
        key_id, algorithm, message = (self._get_param(name) for name in ("KeyId", "SigningAlgorithm", "Message"))
        self._validate_key_id(key_id)
        key = self.kms_backend.describe_key(key_id)
        _require_in_service(key)
        if self._get_param("MessageType") == "DIGEST" and algorithm in (key.signing_algorithms or []):
            return json.dumps(
                {
                    "KeyId": key.arn,
                    "Signature": base64.b64encode(_signature_of_digest(key, message, algorithm)).decode(),
                    "SigningAlgorithm": algorithm,
                }
            )
        if len(message) > LONGEST_RAW_MESSAGE:
            raise ValidationException(
                "1 validation error detected: Value at 'message' failed to satisfy constraint: "
                f"Member must have length less than or equal to {LONGEST_RAW_MESSAGE}"
            )
        return str(moto_sign(self))

    KmsResponse.sign = sign  # type: ignore[method-assign]
    for name, required in (
        ("get_public_key", _require_in_service),
        ("disable_key", _require_staying),
        ("enable_key", _require_staying),
        ("schedule_key_deletion", _require_staying),
    ):
        setattr(KmsResponse, name, _mended(getattr(KmsResponse, name), required))


def _mended(answer: Callable[[Any], str], required: Callable[[Any], None]) -> Callable[[Any], str]:
    def mended(self: Any) -> str:
        key_id = self._get_param("KeyId")
        self._validate_key_id(key_id)
        required(self.kms_backend.describe_key(key_id))
        return answer(self)

    return mended


@cache
def mend_dynamodb() -> None:
    """One request at a time: a condition and its write are one step on AWS, and two in moto's threads."""
    lock = threading.Lock()
    moto_call = DynamoHandler.call_action

    def call_action(self: Any) -> Any:
        with lock:
            return moto_call(self)

    DynamoHandler.call_action = call_action  # type: ignore[method-assign]


def mend_keys_from_cloudformation() -> None:
    """Keys of the kind that the template names; moto makes each a symmetric one."""

    def create(_: Any, /, name: str, resource: dict[str, Any], account_id: str, region_name: str, **__: Any) -> Any:
        from moto.kms.models import kms_backends

        properties = resource["Properties"]
        key = kms_backends[account_id][region_name].create_key(
            policy=json.dumps(properties["KeyPolicy"]) if "KeyPolicy" in properties else None,
            key_usage=properties.get("KeyUsage", "ENCRYPT_DECRYPT"),
            key_spec=properties.get("KeySpec", "SYMMETRIC_DEFAULT"),
            description=properties.get("Description") or name,
            tags=[{"TagKey": tag["Key"], "TagValue": tag["Value"]} for tag in properties.get("Tags", [])],
        )
        key.enabled = properties.get("Enabled", True)
        return key

    Key.create_from_cloudformation_json = classmethod(create)  # type: ignore[method-assign, assignment]


def _signature_of_digest(key: Any, digest: bytes, algorithm: str) -> bytes:
    hashed = DIGESTS[algorithm[-7:]]
    if len(digest) != hashed.digest_size:
        raise ValidationException(f"Digest is invalid length for algorithm {algorithm}.")
    private_key = key.private_key.private_key
    if algorithm.startswith("ECDSA"):
        return bytes(private_key.sign(digest, ec.ECDSA(utils.Prehashed(hashed))))
    pss = padding.PSS(mgf=padding.MGF1(hashed), salt_length=hashed.digest_size)
    pad = padding.PKCS1v15() if "PKCS1" in algorithm else pss
    return bytes(private_key.sign(digest, pad, utils.Prehashed(hashed)))


def _require_staying(key: Any) -> None:
    if key.key_state == "PendingDeletion":
        raise JsonRESTError("KMSInvalidStateException", f"{key.arn} is pending deletion.")


def _require_in_service(key: Any) -> None:
    _require_staying(key)
    if not key.enabled:
        raise JsonRESTError("DisabledException", f"{key.arn} is disabled.")


def end_with_the_runner() -> None:
    def wait() -> None:
        while os.read(0, 1024):
            pass
        os.killpg(0, signal.SIGKILL)

    threading.Thread(target=wait, daemon=True).start()


def main() -> None:
    end_with_the_runner()
    mend_kms()
    mend_dynamodb()
    mend_keys_from_cloudformation()
    application = DomainDispatcherApplication(create_backend_app)
    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=QuietRequestHandler)
    sys.stdout.write(f"cloud ready at http://127.0.0.1:{server.server_port}\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main()
