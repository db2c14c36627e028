"""What the batches of every provider need: input read by lines, and one result per request.

`batch_input` reads a file or an inline list, `line_formats` checks each line, `request_table`
stores the keys of the requests, `batch_results` and `result_lines` write results in Gemini's shape.
`repeats` and `deleted_markers` store what a provider does not. `immediate` runs batches in the
proxy itself. Used by all providers, and by `tenancy`.
"""
