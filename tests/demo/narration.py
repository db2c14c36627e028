"""What the demo prints. It is ASCII, so that every terminal shows it."""

import textwrap

WIDTH = 96


def say(text: str) -> None:
    """At once, also where the output is no terminal: it is told as it happens."""
    print(text, flush=True)


def heading(text: str) -> None:
    say(f"\n=== {text} ".ljust(WIDTH, "="))


def step(text: str) -> None:
    """What is about to be done, for a reader."""
    say(f"\n{text}")


def call(text: str) -> None:
    """The call of the SDK that does it, as a program would spell it."""
    say(f"  > {text}")


def told(*columns: object) -> None:
    """What the SDK answered."""
    say("    " + "  ".join(str(column) for column in columns))


def result(name: str, text: str) -> None:
    """One result: under its name, wrapped."""
    margin = " " * 20
    say(textwrap.fill(text, WIDTH, initial_indent=f"    {name:<16}", subsequent_indent=margin))
