"""Header values as text that can go on in JSON, in a digest, or in another header."""


def header_text(value: str) -> str:
    """`value` as UTF-8, or else as ISO-8859-1, HTTP's old charset.

    Clients have written names in either (RFC 9110 section 5.5). aiohttp hands on bytes that
    are not UTF-8 as lone surrogates, which nothing can encode.
    """
    if value.isascii():
        return value
    data = value.encode("utf-8", "surrogateescape")
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")
