"""What versions of the product have stored, recorded, so that every later version can be tested.

Each directory `vN` was made by `python -m tests.stored.record DIRECTORY` with the code of the
commit that added it, and is never changed afterwards; `tests/end_to_end/test_stored.py` opens each.
It holds

    state/              the state directory, file by file; a large file is compressed (`.gz`)
    upstreams.json.gz   what the fakes held, as `/_fake/holdings` shows it
    clients.json        the names, upload URLs and idempotency keys that clients held,
                        and what they expect

All keys and tokens in it are those of the tests, and open nothing else. Two lives are longer than
in use, so that a record can be opened years later: that of upload URLs (FERRY_UPLOAD_TTL), and
that of an upload at the fake OpenAI. The age of a file in the state directory is not recorded:
every object is as old as the copy that a test makes.
"""
