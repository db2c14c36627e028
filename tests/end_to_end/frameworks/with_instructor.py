"""Instructor, whose answers are always structured."""

from typing import Any

import instructor

from tests.end_to_end.frameworks.forecast import Forecast

__all__ = ["instructor"]


def structured(client: Any, model: str, text: str) -> Any:
    asked = [{"role": "user", "content": text}]
    return client.create(model=model, response_model=Forecast, messages=asked).model_dump()
