"""Ways to apply e^{tW}: one file for each, all with the same contract (see `propagator`)."""
