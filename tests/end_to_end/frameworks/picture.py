"""The image that models see: one pixel."""

import base64
from typing import Final

BASE64: Final = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGNgZGIGAAAOAAfXb+R4AAAAAElFTkSuQmCC"
)
PNG: Final = base64.b64decode(BASE64)
DATA_URL: Final = f"data:image/png;base64,{BASE64}"
