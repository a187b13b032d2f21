"""A Job and its pods read as one run, and what follows from runs: history, verdicts, schedule,
back-off."""
