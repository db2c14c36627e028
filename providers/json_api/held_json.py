"""JSON that is kept, in no more memory than its bytes take."""

from providers.json_api.json_text import render_json


def render_held(value: object) -> bytes:
    """`value` as JSON. Raises orjson.JSONEncodeError for what has no JSON.

    The result of `orjson.dumps` keeps the whole buffer that it was written into (orjson 3.13: for
    a few bytes 4 KiB, for 5,000 64 KiB): the short keys of one batch's 50,000 lines took 200 MiB.
    """
    return bytes(memoryview(render_json(value)))
