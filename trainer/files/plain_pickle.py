"""The pickle of a torch archive, read by a small machine of our own: plain containers, plain values and descriptions of tensors.

Nothing is called and nothing is imported. The machine knows the opcodes that `torch.save` writes for dictionaries, lists, tuples, texts,
numbers and tensors, and three global names, which it only compares. Steps, objects and nesting are counted before they take time or memory,
and a value that is reached on many ways counts as often as it is reached: ten lists in ten lists are refused, not walked.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

MAX_BYTES = 16 * 2**20
MAX_STEPS = 2_000_000
MAX_VALUES = 500_000
MAX_DEPTH = 12
_MAX_INTEGER = 32  # bytes of a whole number
_MAX_DIMENSIONS = 16
_MAX_NAME = 200

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
        value = _Machine(data).run()
    except (IndexError, KeyError, TypeError, struct.error, UnicodeDecodeError) as error:
        raise PlainPickleError(f"its description is damaged ({type(error).__name__})") from error
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
    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}
        self._made = 0

    def run(self) -> Any:
        for _ in range(MAX_STEPS):
            code = self._take(1)[0]
            if code == _STOP:
                if len(self._stack) != 1 or self._at != len(self._data):
                    raise PlainPickleError("its description ends too early or too late")
                return self._stack[0]
            step = _STEPS.get(code)
            if step is None:
                raise PlainPickleError("the pickle asks for more than tensors and plain containers", unsafe=True)
            step(self)
        raise PlainPickleError(f"its description takes more than {MAX_STEPS} steps")

    def _take(self, count: int) -> bytes:
        found = self._data[self._at : self._at + count]
        if len(found) < count:
            raise PlainPickleError("its description is cut off")
        self._at += count
        return found

    def _number(self, form: str) -> Any:
        return struct.unpack(form, self._take(struct.calcsize(form)))[0]

    def _line(self) -> str:
        end = self._data.find(b"\n", self._at, self._at + _MAX_NAME)
        if end < 0:
            raise PlainPickleError("the pickle asks for a name that is too long", unsafe=True)
        text = self._take(end - self._at).decode("ascii")
        self._take(1)
        return text

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

    def protocol(self) -> None:
        if self._take(1)[0] != 2 or self._at != 2:
            raise PlainPickleError("the pickle is not of the protocol that torch writes", unsafe=True)

    def mark(self) -> None:
        self._push(_MARK)

    def constant(self, value: Any) -> None:
        self._push(value)

    def new_list(self) -> None:
        self._push([])

    def new_dict(self) -> None:
        self._push({})

    def whole(self, form: str) -> None:
        self._push(self._number(form))

    def long(self) -> None:
        size = self._take(1)[0]
        if size > _MAX_INTEGER:
            raise PlainPickleError("a whole number is too long")
        self._push(int.from_bytes(self._take(size), "little", signed=True))

    def text(self) -> None:
        self._push(self._take(self._number("<I")).decode("utf-8", "surrogatepass"))

    def tuple_of(self, count: int) -> None:
        found = [self._stack.pop() for _ in range(count)]
        self._push(tuple(reversed(found)))

    def tuple_since_mark(self) -> None:
        self._push(tuple(self._since_mark()))

    def append(self) -> None:
        value = self._stack.pop()
        self._list().append(value)

    def appends(self) -> None:
        values = self._since_mark()
        self._list().extend(values)

    def set_item(self) -> None:
        value, key = self._stack.pop(), self._stack.pop()
        self._set([key, value])

    def set_items(self) -> None:
        self._set(self._since_mark())

    def _list(self) -> list[Any]:
        if type(self._stack[-1]) is not list:
            raise PlainPickleError("it adds to something that is no list")
        return self._stack[-1]

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

    def put(self, form: str) -> None:
        self._memo[self._number(form)] = self._stack[-1]

    def get(self, form: str) -> None:
        self._push(self._memo[self._number(form)])

    def find_global(self) -> None:
        found = _Global(f"{self._line()} {self._line()}")
        if found not in (_REBUILD, _ORDERED) and found.name not in _STORAGES:
            raise PlainPickleError("the pickle asks for more than tensors and plain containers", unsafe=True)
        self._push(found)

    def storage(self) -> None:
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

    def reduce(self) -> None:
        arguments, function = self._stack.pop(), self._stack.pop()
        if function == _ORDERED and arguments == ():
            self._push(_NO_HOOKS)
        elif function == _REBUILD and type(arguments) is tuple and len(arguments) in (6, 7):
            self._push(_tensor(*arguments))
        else:
            raise PlainPickleError("the pickle asks for more than tensors and plain containers", unsafe=True)


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
_STOP = ord(".")
_STEPS: Mapping[int, Callable[[_Machine], None]] = {
    0x80: _Machine.protocol,
    ord("("): _Machine.mark,
    ord("}"): _Machine.new_dict,
    ord("]"): _Machine.new_list,
    ord(")"): lambda machine: machine.constant(()),
    ord("N"): lambda machine: machine.constant(None),
    0x88: lambda machine: machine.constant(True),
    0x89: lambda machine: machine.constant(False),
    ord("K"): lambda machine: machine.whole("<B"),
    ord("M"): lambda machine: machine.whole("<H"),
    ord("J"): lambda machine: machine.whole("<i"),
    ord("G"): lambda machine: machine.whole(">d"),
    0x8A: _Machine.long,
    ord("X"): _Machine.text,
    ord("t"): _Machine.tuple_since_mark,
    0x85: lambda machine: machine.tuple_of(1),
    0x86: lambda machine: machine.tuple_of(2),
    0x87: lambda machine: machine.tuple_of(3),
    ord("a"): _Machine.append,
    ord("e"): _Machine.appends,
    ord("s"): _Machine.set_item,
    ord("u"): _Machine.set_items,
    ord("q"): lambda machine: machine.put("<B"),
    ord("r"): lambda machine: machine.put("<I"),
    ord("h"): lambda machine: machine.get("<B"),
    ord("j"): lambda machine: machine.get("<I"),
    ord("c"): _Machine.find_global,
    ord("Q"): _Machine.storage,
    ord("R"): _Machine.reduce,
}
