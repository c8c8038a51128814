"""A detached Ed25519 signature over a checkpoint's place and digest: who put this voice into use, checked without network.

Keys are those of `ssh-keygen -t ed25519` or PEM files. Signed is the canonical JSON of path and SHA-256. The path says where the signer had the
checkpoint; the same bytes hold in any place, so that a copy can be verified.
"""

from __future__ import annotations

import base64
from pathlib import Path
from typing import TYPE_CHECKING, Any

from acceptance.failure import HarnessError
from trainer.files import plain_file, strict_json
from trainer.files.atomic_file import write_atomically
from trainer.files.plain_file import PlainFileError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

SCHEMA = "voice_signature/1"
_MAX_BYTES = 2**16


def private_key(path: Path) -> Ed25519PrivateKey:
    """The key in a file; raises HarnessError(key_unusable)."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return _key(path, Ed25519PrivateKey, ("load_ssh_private_key", "load_pem_private_key"), {"password": None})


def public_key(path: Path) -> Ed25519PublicKey:
    """The key in a file, `ssh-ed25519 AAAA…` or PEM; raises HarnessError(key_unusable)."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    return _key(path, Ed25519PublicKey, ("load_ssh_public_key", "load_pem_public_key"), {})


def sign(key: Ed25519PrivateKey, *, path: str, sha256: str, target: Path) -> None:
    """Write the signature of a checkpoint; raises as `write_atomically`."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    signature = base64.b64encode(key.sign(_signed(path, sha256))).decode()
    document = {"schema": SCHEMA, "path": path, "sha256": sha256, "public_key": public, "signature": signature}
    write_atomically(target, strict_json.readable(document))


def problem(signature: Path, checkpoint: Path, key: Ed25519PublicKey) -> str | None:
    """Why a signature is none of this checkpoint by this key; None if it is. Raises HarnessError(signature_invalid | checkpoint_missing)."""
    from cryptography.exceptions import InvalidSignature

    document = _document(signature)
    try:
        found = plain_file.sha256(checkpoint)
    except PlainFileError as error:
        raise HarnessError(
            f"{checkpoint} {error}; name the checkpoint that was signed", cause="checkpoint_missing"
        ) from error
    if found != document["sha256"]:
        return f"{checkpoint} has the SHA-256 {found[:12]}, signed was {document['sha256'][:12]}"
    try:
        key.verify(
            base64.b64decode(document["signature"], validate=True), _signed(document["path"], document["sha256"])
        )
    except (InvalidSignature, ValueError):
        return "the signature was not made by this key, or not over this path and digest"
    return None


def _signed(path: str, sha256: str) -> bytes:
    return strict_json.canonical({"path": path, "sha256": sha256}).encode()


def _key(path: Path, kind: Any, loaders: tuple[str, ...], options: dict[str, Any]) -> Any:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization

    try:
        data = plain_file.read_through_links(path, limit=_MAX_BYTES)
    except PlainFileError as error:
        raise HarnessError(f"{path}: {error}; make one: ssh-keygen -t ed25519 -f KEY", cause="key_unusable") from error
    for loader in loaders:
        try:
            found = getattr(serialization, loader)(data, **options)
        except (ValueError, TypeError, UnsupportedAlgorithm):  # of another format, or encrypted
            continue
        if isinstance(found, kind):
            return found
    raise HarnessError(
        f"{path}: not an Ed25519 key without a passphrase, in OpenSSH's or PEM form; make one: ssh-keygen -t ed25519 -N '' -f KEY",
        cause="key_unusable",
    )


def _document(path: Path) -> dict[str, str]:
    try:
        document = strict_json.loads(plain_file.read_through_links(path, limit=_MAX_BYTES))
    except (PlainFileError, ValueError) as error:
        raise _invalid(path, str(error)) from error
    keys = ("schema", "path", "sha256", "public_key", "signature")
    if (
        not isinstance(document, dict)
        or set(document) != set(keys)
        or not all(isinstance(document[key], str) for key in keys)
    ):
        raise _invalid(path, "it is no signature of this program")
    if document["schema"] != SCHEMA:
        raise _invalid(path, f"its schema is not {SCHEMA}")
    return document


def _invalid(path: Path, problem: str) -> HarnessError:
    return HarnessError(f"{path}: {problem}; sign again: voice promote RUN --sign KEY", cause="signature_invalid")
