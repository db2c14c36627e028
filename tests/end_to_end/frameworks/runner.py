"""Runs the program of one framework; `sdk_process.py` describes the protocol.

A command's `args` are the row's `expression`, the `client` of the README, `key`, `url`, `headers`,
`model`, and the `text` that is asked.
"""

import importlib
import json
import sys
from typing import Any

Args = dict[str, Any]


def main(module: str) -> None:
    program = importlib.import_module(f"{__package__}.{module}")
    answers, sys.stdout = sys.stdout, sys.stderr  # some frameworks print
    for line in sys.stdin:
        answers.write(json.dumps(answer(program, json.loads(line))) + "\n")
        answers.flush()


def answer(program: Any, command: Args) -> Args:
    args = command["args"]
    try:
        call = getattr(program, command["call"])
        return {
            "id": command["id"],
            "ok": call(pointed(program, args), args["model"], args["text"]),
        }
    except Exception as error:  # the test gets every exception of the framework
        known = {"code": None, "status": None, "message": str(error)}
        return {"id": command["id"], "error": {"name": type(error).__name__, **known}}


def pointed(program: Any, args: Args) -> Any:
    """What the row's expression makes, with the names that the program imports."""
    names = {**vars(program), "KEY": args["key"], "URL": args["url"], "HEADERS": args["headers"]}
    expression = args["expression"]
    if "CLIENT" in expression:
        exec(args["client"], names)
        names["CLIENT"] = names["client"]
    model = args["model"]
    return eval(expression.replace('/…"', f'/{model}"').replace("…", repr(model)), names)


if __name__ == "__main__":
    main(sys.argv[1])
