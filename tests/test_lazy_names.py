"""Names that packages load when they are first used."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from types import ModuleType

import pytest


@pytest.mark.parametrize(
    "name", ["landscapes", "theory", "thermodynamics", "learning", "validation", "storage", "studies"]
)
def test_lazy_names_are_what_they_say_whatever_was_imported_before(name: str) -> None:
    """Importing a submodule binds its name in the package, so that no public name may be that of a submodule."""
    package = import_module(f"fpsolver.{name}")
    submodules = {found.name for found in pkgutil.iter_modules(package.__path__)}
    assert not submodules & set(package._HOMES)
    for public in package._HOMES:
        assert not isinstance(getattr(package, public), ModuleType)
    for module in getattr(package, "_MODULES", ()):
        assert isinstance(getattr(package, module), ModuleType)
