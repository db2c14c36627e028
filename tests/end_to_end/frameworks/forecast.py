"""The function that models call, and the object that they answer with."""

from pydantic import BaseModel


class Forecast(BaseModel):
    """What the weather will be in a city."""

    city: str
    days: int


def weather(city: str) -> str:
    """What the weather is in a city.

    Args:
        city: The name of the city.
    """
    return f"It is sunny in {city}."
