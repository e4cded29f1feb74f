"""Ensembles of trajectories: simulation, what is observed on the way, first passages and rare events."""
