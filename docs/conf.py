"""Configuration of the documentation; every figure is made by the package when this is built."""

import sys
from pathlib import Path

import fpsolver
from fpsolver.solvers.exponential.choose import METHODS

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "fpsolver"
author = "the fpsolver authors"
copyright = "2026, the fpsolver authors"
version = release = fpsolver.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "docstring_text",
    "numpydoc",
    "myst_parser",
    "sphinx_gallery.gen_gallery",
    "study_reference",
    "result_layout",
]
myst_enable_extensions = ["dollarmath", "deflist", "substitution"]
myst_substitutions = {"methods": ", ".join(f'`"{name}"`' for name in METHODS)}
templates_path = ["_templates"]
autosummary_generate = True
autodoc_typehints = "none"
numpydoc_show_class_members = False
exclude_patterns = ["_build", "_templates", "examples", "theory", "theorems"]
html_theme = "alabaster"
html_theme_options = {
    "description": "Fokker–Planck densities and trajectories for the thermodynamics of learning",
    "page_width": "1100px",
    "fixed_sidebar": True,
}
suppress_warnings = ["config.cache"]

sphinx_gallery_conf = {
    "examples_dirs": ["examples", "theory", "theorems"],
    "gallery_dirs": ["auto_examples", "auto_theory", "auto_theorems"],
    "filename_pattern": r"\.py$",
    "download_all_examples": False,
    "abort_on_example_error": True,
    "reset_modules": ("matplotlib", "figure_style.reset"),
    "within_subsection_order": "FileNameSortKey",
}
