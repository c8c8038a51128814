"""Speaker encoders of files: small networks in both formats, and files that are none."""

from __future__ import annotations

import hashlib
import warnings
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from trainer.errors import DataError, RuntimeSetupError
from trainer.evaluation import encoder_file
from trainer.models import speaker_encoder

RATE = 16_000


class Pooled(torch.nn.Module):
    """(1, samples) -> (1, 8): mean power of eight fixed filters."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.filters = torch.nn.Conv1d(1, 8, 64, stride=16)

    def forward(self, wave: torch.Tensor) -> torch.Tensor:
        return self.filters(wave[:, None]).abs().mean(2)


def torchscript(path: Path, module: torch.nn.Module) -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.jit.script(module).save(str(path))
    return path


def pooling_onnx(path: Path, shape: list[object]) -> Path:
    """An ONNX network: (1, samples) through eight filters, or (1, frames, bands) as they are; the mean magnitude over time."""
    axes = helper.make_tensor("time", TensorProto.INT64, [1], [2 if len(shape) == 2 else 1])
    nodes = [
        helper.make_node("Abs", ["found"], ["size"]),
        helper.make_node("ReduceMean", ["size", "time"], ["vector"], keepdims=0),
    ]
    constants = [axes]
    if len(shape) == 2:
        filters = np.random.default_rng(7).standard_normal((8, 1, 64)).astype(np.float32)
        constants += [
            numpy_helper.from_array(filters, "filters"),
            helper.make_tensor("channel", TensorProto.INT64, [1], [1]),
        ]
        nodes = [
            helper.make_node("Unsqueeze", ["sound", "channel"], ["wide"]),
            helper.make_node("Conv", ["wide", "filters"], ["found"]),
            *nodes,
        ]
    else:
        nodes = [helper.make_node("Identity", ["sound"], ["found"]), *nodes]
    inputs, outputs = (
        helper.make_tensor_value_info(name, TensorProto.FLOAT, size)
        for name, size in (("sound", shape), ("vector", None))
    )
    graph = helper.make_graph(nodes, "pooled", [inputs], [outputs], constants)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9), path)
    return path


@pytest.fixture
def noise() -> np.ndarray:
    return (0.1 * np.random.default_rng(2).standard_normal(2 * RATE)).astype(np.float32)


@pytest.mark.parametrize("format_", ["torchscript", "wave", "filterbank"])
def test_a_network_of_either_format_gives_vectors_of_length_one_and_is_pinned_by_its_bytes(
    format_: str, tmp_path: Path, noise: np.ndarray
) -> None:
    path = {
        "torchscript": lambda: torchscript(tmp_path / "small.pt", Pooled()),
        "wave": lambda: pooling_onnx(tmp_path / "small.onnx", [1, "samples"]),
        "filterbank": lambda: pooling_onnx(tmp_path / "small.onnx", [1, "frames", 80]),
    }[format_]()
    encoder = encoder_file.load(path)
    vector = encoder.embed(noise, RATE)
    assert vector.dtype == np.float32 and np.linalg.norm(vector) == pytest.approx(1.0, abs=1e-6)
    assert len(vector) == (80 if format_ == "filterbank" else 8)
    assert encoder.sha256 == hashlib.sha256(path.read_bytes()).hexdigest() and encoder.metric == "cosine:small"
    for wave in (noise[:100], noise[: RATE // 3], noise):
        encoder.embed(wave, RATE)
    assert (encoder.embed(noise, RATE) == vector).all()


def test_what_torchscript_gives_is_what_the_network_gives(tmp_path: Path, noise: np.ndarray) -> None:
    network = Pooled()
    with torch.inference_mode():
        expected = network(torch.from_numpy(noise[None]))[0].numpy()
    found = encoder_file.load(torchscript(tmp_path / "small.pt", network)).embed(noise, RATE)
    assert np.allclose(found, expected / np.linalg.norm(expected), atol=1e-6)


def test_no_file_means_ge2e() -> None:
    assert (
        encoder_file.load(None).sha256 == speaker_encoder.WEIGHTS_SHA256
        and encoder_file.load(None).metric == "ge2e_cosine"
    )


def test_silence_has_no_speaker(tmp_path: Path) -> None:
    with pytest.raises(DataError):
        encoder_file.load(torchscript(tmp_path / "small.pt", Pooled())).embed(np.zeros(RATE, np.float32), RATE)


class Scalar(torch.nn.Module):
    def forward(self, wave: torch.Tensor) -> torch.Tensor:
        return wave.sum().reshape(1, 1)


class Overflowing(torch.nn.Module):
    def forward(self, wave: torch.Tensor) -> torch.Tensor:
        return wave[:, :8] / 0.0


class Greedy(torch.nn.Module):
    def forward(self, wave: torch.Tensor) -> torch.Tensor:
        return wave[:, 10_000_000].reshape(1, 1)


@pytest.mark.parametrize("module", [Scalar(), Overflowing(), Greedy()])
def test_a_network_that_breaks_the_contract_is_refused_when_it_is_loaded(
    module: torch.nn.Module, tmp_path: Path
) -> None:
    with pytest.raises(RuntimeSetupError, match="small") as caught:
        encoder_file.load(torchscript(tmp_path / "small.pt", module))
    assert caught.value.cause == "encoder_invalid"


@pytest.mark.parametrize(
    ("name", "content", "cause"),
    [
        ("e.onnx", b"no network", "encoder_invalid"),
        ("e.pt", b"no network", "encoder_invalid"),
        ("e.bin", b"no network", "encoder_invalid"),
        ("e.onnx", b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n", "weights_lfs_pointer"),
        ("e.onnx", None, "weights_missing"),
    ],
)
def test_what_is_no_encoder_is_refused(name: str, content: bytes | None, cause: str, tmp_path: Path) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(RuntimeSetupError, match=name) as caught:
        encoder_file.load(path)
    assert caught.value.cause == cause


def test_a_pickled_checkpoint_is_not_executed(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, ...]:
            return (Path.touch, (tmp_path / "sprung",))

    torch.save(Trap(), tmp_path / "small.pt")
    with pytest.raises(RuntimeSetupError):
        encoder_file.load(tmp_path / "small.pt")
    assert not (tmp_path / "sprung").exists()


def test_an_onnx_file_of_several_inputs_or_another_rank_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RuntimeSetupError, match="4 dimensions"):
        encoder_file.load(pooling_onnx(tmp_path / "small.onnx", [1, 1, 1, "n"]))


def test_the_filterbank_is_centred_and_has_eighty_bands(noise: np.ndarray) -> None:
    found = encoder_file.filterbank(noise[None])
    assert found.shape == (1, 198, 80) and np.abs(found.mean(axis=1)).max() < 1e-3


def test_weights_outside_the_file_are_refused_for_its_hash_would_not_pin_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = onnx.load(pooling_onnx(tmp_path / "small.onnx", [1, "samples"]))
    onnx.save(model, tmp_path / "outside.onnx", save_as_external_data=True, location="weights.bin", size_threshold=0)
    monkeypatch.chdir(tmp_path)
    encoder_file.load(tmp_path / "small.onnx")
    with pytest.raises(RuntimeSetupError, match="outside"):
        encoder_file.load(tmp_path / "outside.onnx")
