"""How deep a JSON value is nested."""

from typing import Any, Final

# Far above what content needs, and below the depth that orjson can encode (254).
DEEPEST: Final = 100


def nested_too_deep(value: Any, levels: int = DEEPEST) -> bool:
    """Whether objects and lists in `value` are nested more than `levels` deep."""
    layer = [value]
    for _ in range(levels + 1):
        containers = [node for node in layer if isinstance(node, dict | list)]
        if not containers:
            return False
        layer = [child for container in containers for child in _children(container)]
    return True


def _children(container: dict[str, Any] | list[Any]) -> list[Any]:
    return list(container.values()) if isinstance(container, dict) else container
