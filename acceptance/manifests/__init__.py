"""Dataset manifests: what a folder of clips or a prepared run holds, what changed between two of them, and whether a folder still holds it.

`load(path)` reads a manifest of either schema (`clip_manifest/1` from here, `voice_dataset/2` from preparation) into a `Dataset`, whose `sha256` is
that of the manifest's bytes. Errors are `HarnessError`, and the trainer's own `DataError` of a folder that it cannot read.
"""

from acceptance.manifests.comparison import compare
from acceptance.manifests.creation import create, read, snapshot
from acceptance.manifests.document import load
from acceptance.manifests.layout import manifest_in
from acceptance.manifests.verification import verify

__all__ = ["compare", "create", "load", "manifest_in", "read", "snapshot", "verify"]
