"""Shards that were made in several places brought together, and the proof that a batch is whole: nothing missing, nothing double."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from trainer.errors import DataError
from trainer.files import output_file
from trainer.files.placed_file import place
from trainer.files.plain_file import PlainFileError
from trainer.production import layout, plan, shard_folder, verification
from trainer.production.plan import Plan
from trainer.production.shard_folder import ShardDone, ShardFolder

_NAMED = 8  # so many shards stand in a message


def merge(batch: Path, sources: Sequence[Path], *, on_shard: Callable[[int], None] | None = None) -> Plan:
    """Bring the finished shards of other copies of a batch into this one, and prove that it is whole; nothing is taken from a bad copy.

    Raises DataError naming the shard: shard_missing, shard_doubled, shard_invalid, shard_of_another_plan; TrainingError where it cannot write.
    """
    found = plan.read(batch)
    for index, folder in sorted(_offered(batch, found, sources).items()):
        done = verification.check_folder(folder)
        _take_over(folder, done, shard_folder.of(batch, found, index))
    require_whole(batch, found, on_shard=on_shard)
    return found


def require_whole(
    batch: Path, found: Plan, *, clips: bool = True, on_shard: Callable[[int], None] | None = None
) -> None:
    """Prove that every shard of a batch is there once and holds; raises DataError as `merge`."""
    _require_known(batch, found)
    missing = unfinished(batch, found)
    if missing:
        raise DataError(
            f"{batch}: {_shards(missing)} of {found.shards} {'is' if len(missing) == 1 else 'are'} missing; run the batch again with --resume, "
            "or give the folder of the machine that made them",
            cause="shard_missing",
        )
    for index in range(1, found.shards + 1):
        verification.check_folder(shard_folder.of(batch, found, index), clips=clips)
        if on_shard:
            on_shard(index)


def unfinished(batch: Path, found: Plan) -> list[int]:
    """The shards without a done.json; raises DataError for one of another plan."""
    return [index for index in range(1, found.shards + 1) if shard_folder.of(batch, found, index).done() is None]


def _offered(batch: Path, found: Plan, sources: Sequence[Path]) -> dict[int, ShardFolder]:
    """The finished shards in other copies, by number; those that lie here already are left out, and so is a folder that is named again."""
    offered: dict[int, ShardFolder] = {}
    for source in {source.resolve(): source for source in sources}.values():
        other = plan.read(source)
        if other.sha256 != found.sha256:
            raise DataError(
                f"{source}: made by another plan ({other.sha256[:12]}, not {found.sha256[:12]}); merge only folders of one batch: equal prompts, "
                "voice, settings and number of shards",
                cause="shard_of_another_plan",
            )
        _require_known(source, found)
        for index in range(1, found.shards + 1):
            folder = shard_folder.of(source, found, index)
            if folder.done() is None or folder.done() == shard_folder.of(batch, found, index).done():
                continue
            if index in offered or shard_folder.of(batch, found, index).done() is not None:
                first = offered[index].place if index in offered else layout.shard_folder(batch, index, found.shards)
                raise DataError(
                    f"{folder.name} is in {first} too; keep one of them and remove the other folder",
                    cause="shard_doubled",
                )
            offered[index] = folder
    return offered


def _take_over(source: ShardFolder, done: ShardDone, target: ShardFolder) -> None:
    """Give the files of a finished shard a name in this batch, its done.json last; of its clips only those that its rows name."""
    with target.held():
        target.healed()
        try:
            for row in verification.rows(source, done):
                if row.file is not None:
                    place(source.clips / row.file, target.clips / row.file)
            place(source.place / layout.TAKES, target.place / layout.TAKES)
            if (source.place / layout.TIMING).is_file():
                place(source.place / layout.TIMING, target.place / layout.TIMING)
        except PlainFileError as error:
            raise source.invalid(f"it changed while it was copied ({error})") from error
        target.finish()


def _require_known(batch: Path, found: Plan) -> None:
    """Raises DataError(shard_doubled) for a folder of shards that has none of the plan's names."""
    root = batch / layout.SHARDS
    output_file.refuse_link(root)
    expected = {layout.shard_name(index, found.shards) for index in range(1, found.shards + 1)}
    names = [path.name for path in root.iterdir() if not path.name.startswith(".")] if root.is_dir() else []
    strange = sorted(name for name in names if name not in expected)
    if strange:
        named = layout.shard_named(strange[0])
        what = f"a shard of a plan with {named[1]} shards" if named else "no shard of this plan"
        raise DataError(
            f"{root / strange[0]} is {what} (its shards are {layout.shard_name(1, found.shards)} to "
            f"{layout.shard_name(found.shards, found.shards)}); remove it, or move it out of {root}",
            cause="shard_of_another_plan" if named else "shard_doubled",
        )


def _shards(numbers: Sequence[int]) -> str:
    named = ", ".join(map(str, numbers[:_NAMED])) + (" …" if len(numbers) > _NAMED else "")
    return f"shard {named}" if len(numbers) == 1 else f"shards {named}"
