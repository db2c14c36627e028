"""The ordered chain, one step a file. `chain.CHAIN` is the order; `request_keys` is what they share.

No step knows a provider by name: where one provider is to be treated differently, the provider
has a capability, or lacks it.
"""
