"""Configuration of the documentation; every figure is made by the package when this is built."""

import fpsolver

project = "fpsolver"
author = "the fpsolver authors"
copyright = "2026, the fpsolver authors"
version = release = fpsolver.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "numpydoc",
    "myst_parser",
    "sphinx_gallery.gen_gallery",
]
myst_enable_extensions = ["dollarmath", "deflist"]
autosummary_generate = True
autodoc_typehints = "none"
numpydoc_show_class_members = False
exclude_patterns = ["_build", "examples"]
html_theme = "alabaster"
html_theme_options = {"description": "Densities, trajectories and closed forms for the thermodynamics of learning"}
suppress_warnings = ["config.cache"]

sphinx_gallery_conf = {
    "examples_dirs": "examples",
    "gallery_dirs": "auto_examples",
    "filename_pattern": r"\.py$",
    "download_all_examples": False,
    "abort_on_example_error": True,
}
