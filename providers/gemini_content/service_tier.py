"""The service tier of a single request, which sets its price. A batch has a price of its own."""

from collections.abc import Mapping
from typing import Any

from providers.errors import invalid_argument


def take_service_tier(
    request: dict[str, Any], tiers: Mapping[str, str], provider: str
) -> str | None:
    """Remove the tier from the normalised request, and return the provider's name for it.

    None if the request names none. Raises INVALID_ARGUMENT if it is not in `tiers`, which are
    Gemini's names of the tiers that the provider has.
    """
    tier = request.pop("serviceTier", None)
    if tier is None:
        return None
    if tier not in tiers:
        raise invalid_argument(f"{provider} takes {', '.join(tiers)}", path="serviceTier")
    return tiers[tier]
