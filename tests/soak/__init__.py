"""Mixed work on every provider with faults, for minutes; then nothing is lost and nothing leaks."""
