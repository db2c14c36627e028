"""How deep a JSON value is nested."""

from typing import Any

from providers.limits import JSON_DEPTH


def nested_too_deep(value: Any, levels: int = JSON_DEPTH) -> bool:
    """Whether objects and lists in `value` are nested more than `levels` deep."""
    layer = [value]
    for _ in range(levels + 1):
        containers = [node for node in layer if isinstance(node, dict | list)]
        if not containers:
            return False
        layer = [
            child
            for node in containers
            for child in (node.values() if isinstance(node, dict) else node)
        ]
    return True
