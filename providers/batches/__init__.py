"""What every provider's batches need: input read line by line, and one result for each request.

`batch_input` reads a file or an inline list, `line_formats` checks each line, `request_table` keeps
the requests' keys, `batch_results` and `result_lines` write results in Gemini's shape. `repeats`
and `deleted_markers` keep what a provider does not. Used by all providers, and by `tenancy`.
"""
