"""Header values as text that can be used in JSON, in a digest, or in another header."""


def header_text(value: str) -> str:
    """`value` as UTF-8, or if it is not UTF-8 as ISO-8859-1, HTTP's old charset.

    Clients use both for names (RFC 9110 section 5.5). aiohttp represents bytes that are not UTF-8
    as lone surrogates, which cannot be encoded.
    """
    if value.isascii():
        return value
    data = value.encode("utf-8", "surrogateescape")
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")
