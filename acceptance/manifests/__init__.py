"""Dataset manifests: what a folder of clips or a prepared run holds, what changed between two of them, and whether a folder still holds it.

`load(path)` reads a manifest of either schema (`clip_manifest/1` from here, `voice_dataset/2` from preparation) into a `Dataset`, whose `sha256` is
that of the manifest's bytes. Errors are `HarnessError`, and the trainer's own `DataError` of a folder that it cannot read.
"""

from acceptance.manifests.comparison import Change, ChangeKind, Comparison, compare
from acceptance.manifests.creation import create, snapshot
from acceptance.manifests.dataset import Dataset, Item, Layout
from acceptance.manifests.document import load
from acceptance.manifests.targets import manifest_in, read
from acceptance.manifests.verification import Fault, FaultKind, verify

__all__ = [
    "Change",
    "ChangeKind",
    "Comparison",
    "Dataset",
    "Fault",
    "FaultKind",
    "Item",
    "Layout",
    "compare",
    "create",
    "load",
    "manifest_in",
    "read",
    "snapshot",
    "verify",
]
