"""Thermodynamics of densities: entropy, free energy and information."""
