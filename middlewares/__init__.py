"""The chain of middlewares, in order: one step in each file.

`chain.CHAIN` is the order; `request_keys` lists what the steps share, by the step that sets it.
`routes.TABLE` has one row for each call of the SDK, and `operations` one class. No step asks which
provider it has: providers differ only by the capabilities that they have or lack.
"""
