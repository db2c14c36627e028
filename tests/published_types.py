"""Checks that JSON fits a type that a provider publishes in its SDK, without unknown keys.

Pydantic can check such types, but it accepts unknown keys of a TypedDict, and checks an Iterable
only when it is read.
"""

import types
import typing
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Annotated, Any, Literal, NotRequired, Required, Union, get_args, get_origin

_WRAPPERS = (Annotated, Required, NotRequired)
_LISTS = (list, Iterable, Sequence)
_WRONG_TEXT = "is not one of"
_PLAIN: Mapping[object, tuple[type, ...]] = {
    str: (str,),
    bool: (bool,),
    int: (int,),
    float: (int, float),
    type(None): (type(None),),
}


def require_published(value: object, published: object) -> None:
    """Fails for a value that the type `published` does not allow."""
    misfits = list(_misfits(value, published, "$"))
    assert not misfits, misfits


def _misfits(value: object, kind: Any, at: str) -> Iterator[str]:
    origin = get_origin(kind)
    if origin in _WRAPPERS:
        yield from _misfits(value, get_args(kind)[0], at)
    elif kind in (object, Any):
        return
    elif origin in (Union, types.UnionType):
        yield from _of_union(value, get_args(kind), at)
    elif origin is Literal:
        if value not in get_args(kind):
            yield f"{at}: {value!r} {_WRONG_TEXT} {get_args(kind)}"
    elif hasattr(kind, "__required_keys__"):
        yield from _of_object(value, kind, at)
    elif origin in _LISTS or getattr(origin, "__name__", "") == "SequenceNotStr":
        yield from _of_list(value, get_args(kind)[0], at)
    elif origin in (dict, Mapping):
        yield from _of_map(value, get_args(kind)[1], at)
    elif kind not in _PLAIN or type(value) not in _PLAIN[kind]:
        yield f"{at}: a {type(value).__name__} is no {kind}"


def _of_union(value: object, kinds: tuple[Any, ...], at: str) -> Iterator[str]:
    """The misfits of the closest kind: the one whose Literals fit, or that fails deepest."""
    each = [list(_misfits(value, kind, at)) for kind in kinds]
    if all(each):
        yield from max(each, key=_likeness)


def _likeness(misfits: list[str]) -> tuple[bool, int]:
    tagged = all(_WRONG_TEXT not in misfit for misfit in misfits)
    return tagged, len(misfits[0].partition(":")[0])


def _of_object(value: object, kind: Any, at: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{at}: a {type(value).__name__} is no {kind.__name__}"
        return
    hints = _hints(kind)
    for key in _required(kind) - value.keys():
        yield f"{at}: {key} is missing"
    for key, inner in value.items():
        if key in hints:
            yield from _misfits(inner, hints[key], f"{at}.{key}")
        else:
            yield f"{at}: {kind.__name__} has no {key}"


def _of_list(value: object, kind: Any, at: str) -> Iterator[str]:
    if not isinstance(value, list):
        yield f"{at}: a {type(value).__name__} is no list"
        return
    for index, inner in enumerate(value):
        yield from _misfits(inner, kind, f"{at}[{index}]")


def _of_map(value: object, kind: Any, at: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{at}: a {type(value).__name__} is no object"
        return
    for key, inner in value.items():
        yield from _misfits(inner, kind, f"{at}.{key}")


@cache
def _required(kind: Any) -> frozenset[str]:
    """Also finds keys that the class misses because its annotations are strings."""
    marks = {key: get_origin(hint) for key, hint in _hints(kind).items()}
    marked = {key for key, mark in marks.items() if mark is Required}
    return frozenset(marked | {k for k in kind.__required_keys__ if marks[k] is not NotRequired})


@cache
def _hints(kind: Any) -> dict[str, Any]:
    return typing.get_type_hints(kind, include_extras=True)
