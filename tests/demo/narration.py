"""What the demo prints. It is ASCII, so that every terminal shows it."""

import textwrap

WIDTH = 96


def say(text: str) -> None:
    """Print immediately, also if the output is not a terminal."""
    print(text, flush=True)


def heading(text: str) -> None:
    say(f"\n=== {text} ".ljust(WIDTH, "="))


def step(text: str) -> None:
    """What the next call does."""
    say(f"\n{text}")


def call(text: str) -> None:
    """The SDK call, as a program would write it."""
    say(f"  > {text}")


def show(*columns: object) -> None:
    """What the SDK returned."""
    say("    " + "  ".join(str(column) for column in columns))


def result(name: str, text: str) -> None:
    """One result after its name, wrapped."""
    margin = " " * 20
    say(textwrap.fill(text, WIDTH, initial_indent=f"    {name:<16}", subsequent_indent=margin))
