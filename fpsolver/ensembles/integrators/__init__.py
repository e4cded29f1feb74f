"""Time steps: one file for each family of schemes, all with the contract of `integrator.Integrator`."""
