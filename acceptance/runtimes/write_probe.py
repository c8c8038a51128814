"""The write probe: a few lines of POSIX shell that do in every output directory what the trainer will do - create, write, fsync, rename, remove."""

from __future__ import annotations

from collections.abc import Sequence

PROBE_DEADLINE_S = 60.0
REFUSED_CODE = 3
_SCRIPT = r"""
refused=0
for directory do
    new="$directory/.$0.new" final="$directory/.$0"
    if ! said=$( { dd if=/dev/zero of="$new" bs=4096 count=1 conv=fsync && mv -f "$new" "$final" && rm "$final"; } 2>&1 )
    then
        refused=3
        # The errno, not what dd counts before or after it.
        reason=$(printf '%s\n' "$said" | while IFS= read -r line
        do
            case $line in *" records "* | *" bytes"* | "") ;; *) printf '%s' "$line"; break ;; esac
        done)
        printf '%s: %s\n' "$directory" "${reason:-it cannot be written}"
        rm -f "$new" "$final" 2>/dev/null
    fi
done
exit $refused
"""


def probe_command(name: str, directories: Sequence[str]) -> tuple[str, ...]:
    """Command line of the probe; it exits 0 when all directories are writable, 3 when some refused (one line for each on stdout).

    `name` is a plain word that makes the probe's file names unique.
    """
    return ("/bin/sh", "-c", _SCRIPT, name, *directories)
