"""The process in which espeak-ng speaks: requests as JSON on stdin, samples on stdout. Standard library only, run by path.

espeak-ng keeps its oscillator's phase and flutter in static variables, so what it says depends on what it said before. Each text is therefore
spoken by a fork of the initialised process: the same request always gives the same samples.

Reply per request: status (0 spoken, 1 no such voice, 2 refused), sample rate and byte count as three little-endian uint32, then 16-bit samples.
"""

from __future__ import annotations

import ctypes
import json
import os
import struct
import sys

HEADER = struct.Struct("<3I")
NO_LIBRARY = 3
NO_DATA = 4

_SYNCHRONOUS = 2
_DONT_EXIT = 0x8000  # report a missing data directory instead of ending the process
_UTF8_AND_END_PAUSE = 0x1001
_NOISE_SEED = 1  # the library seeds the breath of its variants from the clock
_PARAMETERS = {"rate_wpm": 1, "pitch": 3, "pitch_range": 4}
_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


def main() -> int:
    """Serve one job; the exit code is NO_LIBRARY or NO_DATA when there is no engine."""
    job = json.load(sys.stdin)
    try:
        library = ctypes.CDLL(job["library"])
    except OSError as error:
        sys.stderr.write(f"{error}\n")
        return NO_LIBRARY
    rate = library.espeak_Initialize(_SYNCHRONOUS, 0, job["data"].encode(), _DONT_EXIT)
    if rate <= 0:
        return NO_DATA
    library.espeak_ng_SetRandSeed(ctypes.c_long(_NOISE_SEED))
    for request in job["requests"]:
        child = os.fork()
        if child == 0:
            reply(library, rate, request)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if status:
            return 1
    return 0


def reply(library: ctypes.CDLL, rate: int, request: dict) -> None:
    """Speak one request and write its reply."""
    samples: list[bytes] = []

    @_CALLBACK
    def receive(chunk, count, _events):
        if chunk and count > 0:
            samples.append(ctypes.string_at(chunk, 2 * count))
        return 0

    library.espeak_SetSynthCallback(receive)
    status = 0
    if library.espeak_SetVoiceByName(request["voice"].encode()) != 0:
        status = 1
    else:
        for name, number in _PARAMETERS.items():
            library.espeak_SetParameter(number, request[name], 0)
        text = request["text"].encode()
        size = ctypes.c_size_t(len(text) + 1)
        if library.espeak_Synth(text, size, 0, 0, 0, _UTF8_AND_END_PAUSE, None, None) != 0:
            status = 2
    data = b"".join(samples)
    view = memoryview(HEADER.pack(status, rate, len(data)) + data)
    while view:
        view = view[os.write(1, view) :]


if __name__ == "__main__":
    sys.exit(main())
