"""The pickle of a torch archive, read by a small machine of our own: plain containers, plain values and descriptions of tensors.

Nothing is called and nothing is imported. The machine knows the opcodes that `torch.save` writes for dictionaries, lists, tuples, texts,
numbers and tensors, and three global names, which it only compares. Steps, objects and nesting are counted before they take time or memory,
and a value that is reached on many ways counts as often as it is reached: ten lists in ten lists are refused, not walked.
"""

from __future__ import annotations

import math
import pickletools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

MAX_BYTES = 16 * 2**20
MAX_STEPS = 2_000_000
MAX_VALUES = 500_000
MAX_DEPTH = 12
_MAX_BITS = 256  # of a whole number
_MAX_DIMENSIONS = 16
_MORE = "the pickle asks for more than tensors and plain containers"

DTYPES: Mapping[str, tuple[str, int]] = {
    "FloatStorage": ("float32", 4),
    "DoubleStorage": ("float64", 8),
    "HalfStorage": ("float16", 2),
    "BFloat16Storage": ("bfloat16", 2),
    "LongStorage": ("int64", 8),
    "IntStorage": ("int32", 4),
    "ByteStorage": ("uint8", 1),
    "BoolStorage": ("bool", 1),
}
"""Name of torch's storage class -> the data type and the bytes of an element."""


class PlainPickleError(ValueError):
    """A pickle of something else; `unsafe` where it asks for more than plain containers and tensors."""

    def __init__(self, message: str, *, unsafe: bool = False) -> None:
        super().__init__(message)
        self.unsafe = unsafe


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """A tensor's elements: the archive's member `data/<key>` holds `elements` of `dtype`."""

    dtype: str
    element_bytes: int
    key: str
    elements: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorPlace:
    """A contiguous tensor: its shape, and where in a storage its first element is."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]

    @property
    def elements(self) -> int:
        """How many it has."""
        return math.prod(self.shape)


def loads(data: bytes) -> Any:
    """The value of a pickle, with a TensorPlace for each tensor; raises PlainPickleError."""
    if len(data) > MAX_BYTES:
        raise PlainPickleError(f"its description is larger than {MAX_BYTES} bytes")
    try:
        value = _Machine().run(data)
    except PlainPickleError:
        raise
    except (IndexError, KeyError, TypeError, ValueError) as error:
        raise PlainPickleError(f"its description is cut off or damaged ({type(error).__name__})") from error
    _check(value)
    return value


@dataclass(frozen=True, slots=True)
class _Global:
    """A name that the pickle asks for; nothing is imported."""

    name: str


_MARK = object()
_REBUILD, _ORDERED = _Global("torch._utils _rebuild_tensor_v2"), _Global("collections OrderedDict")
_STORAGES = {f"torch {name}": name for name in DTYPES}


class _NoHooks:
    """The empty OrderedDict that stands where a tensor's backward hooks would."""


_NO_HOOKS = _NoHooks()


class _Machine:
    def __init__(self) -> None:
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}
        self._made = 0

    def run(self, data: bytes) -> Any:
        place = -1
        # Only takes the opcodes and their arguments apart.
        for count, (code, argument, place) in enumerate(pickletools.genops(data)):
            if count >= MAX_STEPS:
                raise PlainPickleError(f"its description takes more than {MAX_STEPS} steps")
            if code.name in _NEW:
                self._push(_NEW[code.name]())
            elif code.name in _GIVEN:
                self._push(argument)
            elif code.name == "PROTO":
                if argument != 2 or place != 0:
                    raise PlainPickleError("the pickle is not of the protocol that torch writes", unsafe=True)
            elif code.name != "STOP":
                self._step(code.name, argument)
        if len(self._stack) != 1 or place + 1 != len(data):
            raise PlainPickleError("its description ends too early or too late")
        return self._stack[0]

    def _step(self, name: str, argument: Any) -> None:
        match name:
            case "LONG1":
                if argument.bit_length() > _MAX_BITS:
                    raise PlainPickleError("a whole number is too long")
                self._push(argument)
            case "TUPLE":
                self._push(tuple(self._since_mark()))
            case "TUPLE1" | "TUPLE2" | "TUPLE3":
                found = [self._stack.pop() for _ in range(int(name[-1]))]
                self._push(tuple(reversed(found)))
            case "APPEND" | "APPENDS":
                values = self._since_mark() if name == "APPENDS" else [self._stack.pop()]
                if type(self._stack[-1]) is not list:
                    raise PlainPickleError("it adds to something that is no list")
                self._stack[-1].extend(values)
            case "SETITEM" | "SETITEMS":
                pairs = self._since_mark() if name == "SETITEMS" else [self._stack.pop(), self._stack.pop()][::-1]
                self._set(pairs)
            case "BINPUT" | "LONG_BINPUT":
                self._memo[argument] = self._stack[-1]
            case "BINGET" | "LONG_BINGET":
                self._push(self._memo[argument])
            case "GLOBAL" if argument in (_REBUILD.name, _ORDERED.name, *_STORAGES):
                self._push(_Global(argument))
            case "BINPERSID":
                self._storage()
            case "REDUCE":
                self._reduce()
            case _:
                raise PlainPickleError(_MORE, unsafe=True)

    def _push(self, value: Any) -> None:
        self._made += 1
        if self._made > 2 * MAX_VALUES:
            raise PlainPickleError(f"its description makes more than {2 * MAX_VALUES} objects")
        self._stack.append(value)

    def _since_mark(self) -> list[Any]:
        for at in range(len(self._stack) - 1, -1, -1):
            if self._stack[at] is _MARK:
                found = self._stack[at + 1 :]
                del self._stack[at:]
                return found
        raise PlainPickleError("its description is damaged (a mark is missing)")

    def _set(self, pairs: list[Any]) -> None:
        target = self._stack[-1]
        if target is _NO_HOOKS:
            raise PlainPickleError("holds an OrderedDict, which is no plain container")
        if type(target) is not dict or len(pairs) % 2:
            raise PlainPickleError("it sets keys of something that is no dictionary")
        for key, value in zip(pairs[::2], pairs[1::2], strict=True):
            if type(key) not in (str, int):
                raise PlainPickleError("a key is neither text nor a number")
            if key in target:
                raise PlainPickleError("a key stands twice in a dictionary")
            target[key] = value

    def _storage(self) -> None:
        value = self._stack.pop()
        kind, name, key, location, elements = value if type(value) is tuple and len(value) == 5 else (None,) * 5
        known = _STORAGES.get(name.name) if type(name) is _Global else None
        if (
            kind != "storage"
            or known is None
            or type(key) is not str
            or type(location) is not str
            or not _is_count(elements)
        ):
            raise PlainPickleError("a tensor's storage is described in another way than torch's")
        dtype, size = DTYPES[known]
        self._push(Storage(dtype=dtype, element_bytes=size, key=key, elements=elements))

    def _reduce(self) -> None:
        arguments, function = self._stack.pop(), self._stack.pop()
        if function == _ORDERED and arguments == ():
            self._push(_NO_HOOKS)
        elif function == _REBUILD and type(arguments) is tuple and len(arguments) in (6, 7):
            self._push(_tensor(*arguments))
        else:
            raise PlainPickleError(_MORE, unsafe=True)


def _tensor(
    storage: Any, offset: Any, shape: Any, strides: Any, _gradient: Any, hooks: Any, metadata: Any = None
) -> TensorPlace:
    """What torch's `_rebuild_tensor_v2` is told, checked; raises PlainPickleError."""
    if type(storage) is not Storage or hooks is not _NO_HOOKS or metadata is not None or not _is_count(offset):
        raise PlainPickleError("a tensor is described in another way than torch's")
    for numbers in (shape, strides):
        if type(numbers) is not tuple or len(numbers) > _MAX_DIMENSIONS or not all(map(_is_count, numbers)):
            raise PlainPickleError("a tensor's shape is not a few whole numbers")
    found = TensorPlace(storage=storage, offset=offset, shape=shape)
    # Strides of zero would let a few bytes stand for terabytes as soon as somebody copies them.
    contiguous, step = len(shape) == len(strides), 1
    for size, stride in zip(reversed(shape), reversed(strides), strict=False):
        contiguous = contiguous and (size == 1 or stride == step or found.elements == 0)
        step *= max(size, 1)
    if not contiguous or offset + found.elements > storage.elements:
        raise PlainPickleError("holds a tensor that is not contiguous or larger than what is stored of it")
    return found


def _is_count(value: object) -> bool:
    return type(value) is int and 0 <= value < 2**48


def _check(value: Any) -> None:
    """Level by level, each value as often as it is reached: few enough, not too deep, only what is plain; raises PlainPickleError."""
    level, seen = [value], 0
    for _ in range(MAX_DEPTH + 1):
        seen += len(level)
        if seen > MAX_VALUES:
            raise PlainPickleError(f"holds more than {MAX_VALUES} values")
        below: list[Any] = []
        for each in level:
            kind = type(each)
            if kind is dict or kind is list or kind is tuple:
                if seen + len(below) + len(each) > MAX_VALUES:
                    raise PlainPickleError(f"holds more than {MAX_VALUES} values")
                below.extend(each.values() if kind is dict else each)
            elif kind not in _PLAIN:
                raise PlainPickleError("holds something that is no plain value")
        if not below:
            return
        level = below
    raise PlainPickleError("nested too deep")


_PLAIN = (str, int, float, bool, type(None), TensorPlace)
_NEW: Mapping[str, Callable[[], Any]] = {
    "MARK": lambda: _MARK, "EMPTY_DICT": dict, "EMPTY_LIST": list, "EMPTY_TUPLE": tuple, "NONE": lambda: None, "NEWTRUE": lambda: True,
    "NEWFALSE": lambda: False,
}  # fmt: skip
"""Opcodes that put something new on the stack."""
_GIVEN = frozenset({"BININT", "BININT1", "BININT2", "BINFLOAT", "BINUNICODE"})
"""Opcodes that put their own argument there."""
