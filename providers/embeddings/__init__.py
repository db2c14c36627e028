"""Embeddings: requests translated, sent in as few calls as the provider allows, and put in order.

A provider adds its own call, its own two translations, and how many texts it takes at once.
"""
