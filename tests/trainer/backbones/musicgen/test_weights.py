"""Each way in which a pre-seeded folder can be wrong has its cause, and every message says how to put it right."""

import hashlib
import json
import os

import pytest

from trainer.backbones.musicgen import weights
from trainer.errors import RuntimeSetupError
from trainer.files import hash_record

pytestmark = pytest.mark.long

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"ab" * 32 + b"\nsize 2364423744\n"


def cause_of(folder, match=None):
    with pytest.raises(RuntimeSetupError, match=match) as refused:
        weights.inspect(folder)
    assert "hf download facebook/musicgen-small" in str(refused.value)
    assert "\n" not in str(refused.value)
    return refused.value.cause


def edit_config(folder, **changes):
    path = folder / "config.json"
    config = json.loads(path.read_text())
    for key, value in changes.items():
        part, _, name = key.partition("__")
        if name:
            config[part][name] = value
        else:
            config[part] = value
    path.write_text(json.dumps(config))


def write_hashes(folder, names):
    lines = [f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  ./{name}" for name in names]
    (folder / hash_record.NAME).write_text("\n".join(lines) + "\n")


def test_a_whole_folder_is_accepted_and_has_an_identity(seeded_folder, folder):
    found = weights.inspect(folder)
    assert found.identity == weights.inspect(seeded_folder).identity
    assert set(found.sha256) == {*weights.PLAIN_FILES, weights.WEIGHTS_FILE}


def test_another_byte_is_another_identity(folder):
    before = weights.inspect(folder).identity
    with open(folder / weights.WEIGHTS_FILE, "r+b") as file:
        file.seek(-1, os.SEEK_END)
        last = file.read(1)
        file.seek(-1, os.SEEK_END)
        file.write(bytes([last[0] ^ 1]))
    assert weights.inspect(folder).identity != before


def test_a_missing_folder_is_missing_weights(tmp_path):
    assert cause_of(tmp_path / "nothing") == "weights_missing"
    (tmp_path / "file").touch()
    assert cause_of(tmp_path / "file") == "weights_missing"


@pytest.mark.parametrize("name", [*weights.PLAIN_FILES, weights.WEIGHTS_FILE])
def test_a_missing_file_is_named(name, folder):
    (folder / name).unlink()
    assert cause_of(folder, match=name) == "weights_missing"


def test_pickled_weights_alone_are_missing_weights_and_never_read(folder):
    (folder / weights.WEIGHTS_FILE).rename(folder / "pytorch_model.bin")
    assert cause_of(folder, match="pickled weights are never read") == "weights_missing"


@pytest.mark.parametrize("name", [weights.WEIGHTS_FILE, "tokenizer.json", "config.json"])
@pytest.mark.parametrize("pointer", [POINTER, POINTER.replace(b"\n", b"\r\n"), b"\xef\xbb\xbf" + POINTER + bytes(5000)])
def test_a_git_lfs_pointer_is_told_from_the_file(name, pointer, folder):
    (folder / name).write_bytes(pointer)
    assert cause_of(folder, match=name) == "weights_lfs_pointer"


@pytest.mark.parametrize("kept", [0, 1, 7, 8, 100, 20_000, -1])
def test_truncated_weights_are_found_without_loading_them(kept, folder):
    path = folder / weights.WEIGHTS_FILE
    os.truncate(path, kept if kept >= 0 else path.stat().st_size + kept)
    assert cause_of(folder) == "weights_truncated"


@pytest.mark.parametrize("data", [b"\xff" * 4096, b"\0" * 4096, b"PK\x03\x04" + bytes(4096)])
def test_what_is_no_safetensors_is_damaged(data, folder):
    (folder / weights.WEIGHTS_FILE).write_bytes(data)
    assert cause_of(folder) == "weights_truncated"


@pytest.mark.parametrize("name", weights.PLAIN_FILES)
def test_a_cut_json_file_is_damaged(name, folder):
    data = (folder / name).read_bytes()
    (folder / name).write_bytes(data[: len(data) // 2])
    assert cause_of(folder, match=name) == "weights_truncated"


@pytest.mark.parametrize(
    "changes",
    [
        {"model_type": "musicgen_melody"},
        {"model_type": "gpt2"},
        {"model_type": None},
        {"decoder__audio_channels": 2},
        {"audio_encoder__sampling_rate": 24_000},
        {"audio_encoder__model_type": "dac"},
        {"text_encoder": "t5"},
    ],
)
def test_another_architecture_is_the_wrong_model(changes, folder):
    edit_config(folder, **changes)
    assert cause_of(folder) == "weights_wrong_model"


def test_weights_without_a_part_are_the_wrong_model(folder):
    from safetensors.numpy import load_file, save_file

    path = folder / weights.WEIGHTS_FILE
    save_file({key: value for key, value in load_file(path).items() if not key.startswith("audio_encoder.")}, path)
    assert cause_of(folder, match="no audio_encoder") == "weights_wrong_model"


@pytest.mark.parametrize("blocks", [1, 3, 24, "2", True])
def test_more_or_fewer_blocks_than_the_config_says_are_the_wrong_model(blocks, folder):
    edit_config(folder, decoder__num_hidden_layers=blocks)
    assert cause_of(folder, match="blocks") == "weights_wrong_model"


def test_a_hash_record_that_agrees_is_accepted(folder):
    write_hashes(folder, sorted(path.name for path in folder.iterdir()))
    weights.inspect(folder)


def test_a_hash_record_that_differs_or_lacks_a_file_is_refused(folder):
    names = [*weights.PLAIN_FILES, weights.WEIGHTS_FILE]
    write_hashes(folder, names[:-1])
    assert cause_of(folder, match="no line for it") == "weights_hash_mismatch"
    write_hashes(folder, names)
    (folder / "generation_config.json").write_text("{}")
    assert cause_of(folder, match="generation_config") == "weights_hash_mismatch"


def test_weights_in_pieces_are_read_by_their_index(folder):
    from safetensors.numpy import load_file, save_file

    tensors = load_file(folder / weights.WEIGHTS_FILE)
    (folder / weights.WEIGHTS_FILE).unlink()
    pieces = {key: f"model-0000{1 + key.startswith('decoder.')}-of-00002.safetensors" for key in tensors}
    for piece in set(pieces.values()):
        save_file({key: value for key, value in tensors.items() if pieces[key] == piece}, folder / piece)
    (folder / weights.INDEX_FILE).write_text(json.dumps({"weight_map": pieces}))
    assert len(weights.inspect(folder).sha256) == len(weights.PLAIN_FILES) + 3
    (folder / "model-00002-of-00002.safetensors").unlink()
    assert cause_of(folder, match="00002-of-00002") == "weights_missing"


@pytest.mark.parametrize("files", [None, [], {}, {"x": 3}, {"x": "../model.safetensors"}, {"x": "model.bin"}])
def test_an_index_that_leads_elsewhere_is_refused(files, folder):
    (folder / weights.WEIGHTS_FILE).rename(folder.parent / "model.safetensors")
    (folder / weights.INDEX_FILE).write_text(json.dumps({"weight_map": files}))
    assert cause_of(folder) == "weights_wrong_model"


def test_a_named_pipe_is_not_waited_for(folder):
    (folder / weights.WEIGHTS_FILE).unlink()
    os.mkfifo(folder / weights.WEIGHTS_FILE)
    assert cause_of(folder) == "weights_missing"
