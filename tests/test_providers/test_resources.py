from providers.resources import BatchState, Counts


def test_the_terminal_states() -> None:
    going_on = {state for state in BatchState if not state.terminal}
    assert going_on == {BatchState.PENDING, BatchState.RUNNING, BatchState.CANCELLING}


def test_counts_are_never_negative() -> None:
    assert (Counts(5, 2, 1).pending, Counts(0, 2, 1).pending) == (2, 0)
