"""Single requests to a model: translated, sent, and their answers translated back.

A provider adds its own call and its own two translations.
"""
