"""`make demo`: the whole workflow of each provider through the real SDK, printed step by step.

The upstreams are fakes (tests/fakes), so no key is needed and nothing leaves the machine; the
proxy and the SDK are the real ones.
"""
