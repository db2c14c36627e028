"""What the texts of a request ask the fake model to do (see `tests.fakes`)."""


class ModelError(Exception):
    """A request is refused by the model; its text is the message of a 400."""


def check_not_asked_to_fail(text: str) -> None:
    if "please fail" in text:
        raise ModelError("The request asked to fail.")
