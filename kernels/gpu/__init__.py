"""Launchers for NVIDIA devices: the names and signatures of `fpsolver.kernels.cpu`, arrays in and out on the host."""
