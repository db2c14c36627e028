"""What each version of the product has stored, recorded for the tests of later versions.

Each directory `vN` was made by `python -m tests.stored.record DIRECTORY` with the code of the
commit that added it, and never changes; `tests/end_to_end/test_stored.py` opens each. It has

    state/              the state directory, file by file; a large file is compressed (`.gz`)
    upstreams.json.gz   what the fakes stored, as `/_fake/snapshot` shows it
    clients.json        the names, upload URLs and idempotency keys of the clients,
                        and what they expect

All keys and tokens in it are only for the tests. Two lifetimes are longer than usual, so a record
can be opened years later: that of upload URLs (FERRY_UPLOAD_TTL), and that of an upload at the
fake OpenAI. The age of a file in the state directory is not recorded: every object is as old as
the copy that a test makes.
"""
