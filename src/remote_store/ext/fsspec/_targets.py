"""What is given to a call for several files: two lists, or a target that fsspec's rules are for."""

from __future__ import annotations

from typing import Any

from fsspec.utils import stringify_path


def given(source: Any, target: Any) -> tuple[Any, Any]:
    """Return sources and targets: two lists of pairs, or sources of any kind and a target that is text.

    Raises:
        TypeError: the target is neither text nor a path nor a list.
        ValueError: the target is a list, and the sources are not as many.
    """
    source, target = stringify_path(source), stringify_path(target)
    if isinstance(source, tuple):
        source = list(source)
    if isinstance(target, str):
        return source, target
    if not isinstance(target, (list, tuple)):
        raise TypeError(f"the target must be text, a path or a list, not {type(target).__name__}")
    sources = [source] if isinstance(source, str) else source
    if not isinstance(sources, list) or len(sources) != len(target):
        raise ValueError(
            "a list of targets needs a list of as many sources; give one folder, with a slash at its"
            " end, as the target of all, or a target for each source"
        )
    return sources, list(target)
