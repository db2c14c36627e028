"""The chain of middlewares, in order: one step in each file.

`chain.CHAIN` is the order; `request_keys` holds what the steps share. No step asks which provider
it has: providers differ only by the capabilities that they have or lack.
"""
