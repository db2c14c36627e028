"""Keys that look right but belong to no account: real services refuse them like any other."""

MARK = "madeup"


def is_made_up(key: str) -> bool:
    return MARK in key
