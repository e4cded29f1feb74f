"""The package list, the links, and every way of installing: all must see the same names."""

from __future__ import annotations

import configparser
import json
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LINKED = ("kernels", "validation", "data")
SEE_ALL = """
import json, pkgutil, fpsolver
names = sorted(m.name for m in pkgutil.walk_packages(fpsolver.__path__, "fpsolver."))
print(json.dumps([fpsolver.__file__, names, [callable(getattr(fpsolver, n)) for n in ("Grid", "generator", "evolve")]]))
"""


def listed_packages():
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    return sorted(config["options"]["packages"].split())


def folders():
    found = []
    for parent, directories, files in os.walk(ROOT / "fpsolver", followlinks=True):
        directories[:] = [name for name in directories if name != "__pycache__"]
        if "__init__.py" in files:
            found.append(".".join(Path(parent).relative_to(ROOT).parts))
    return sorted(found)


def test_setup_lists_every_package():
    assert listed_packages() == folders()


@pytest.mark.parametrize("name", LINKED)
def test_links_are_relative_and_lead_to_the_top(name):
    link = ROOT / "fpsolver" / name
    assert link.is_symlink() and os.readlink(link) == f"../{name}"
    assert link.resolve() == ROOT / name


def test_kernels_import_under_one_name_only():
    code = "import kernels"
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 1 and "ImportError" in result.stderr and "fpsolver.kernels" in result.stderr


def test_importing_the_package_loads_nothing_heavy():
    code = "import sys, fpsolver; print(sorted(m for m in ('numpy', 'scipy', 'numba', 'sympy') if m in sys.modules))"
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_every_public_name_can_be_loaded():
    import fpsolver

    for name in fpsolver.__all__:
        assert getattr(fpsolver, name) is not None
    assert set(fpsolver.__all__) <= set(dir(fpsolver))
    with pytest.raises(AttributeError, match="no attribute 'evovle'"):
        _ = fpsolver.evovle


def names_seen(paths, cwd):
    """File and module names that a fresh interpreter sees with only `paths` and the dependencies on its path."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([*map(str, paths), sysconfig.get_paths()["purelib"]])}
    command = [sys.executable, "-S", "-P", "-c", SEE_ALL]
    result = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


@pytest.fixture(scope="module")
def distributions(tmp_path_factory):
    """Wheel built from the sources, and wheel built from the sdist (which holds no links)."""
    pytest.importorskip("build")
    work = tmp_path_factory.mktemp("packaging")
    tracked = work / "checkout"
    skip = shutil.ignore_patterns(
        ".git", ".venv*", "__pycache__", "*.egg-info", "build", "dist", "results", ".hypothesis"
    )
    shutil.copytree(ROOT, tracked, symlinks=True, ignore=skip)
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir"]
    subprocess.run([*command, str(work / "direct"), "--wheel", str(tracked)], check=True, capture_output=True)
    # Without a choice, build makes the sdist and then the wheel from the unpacked sdist.
    subprocess.run([*command, str(work / "via_sdist"), str(tracked)], check=True, capture_output=True)
    return work


def test_wheel_sdist_and_checkout_see_the_same_names(distributions, tmp_path):
    file, checkout, works = names_seen([ROOT], tmp_path)
    assert Path(file).parent == ROOT / "fpsolver" and works == [True] * 3
    for kind in ("direct", "via_sdist"):
        (wheel,) = (distributions / kind).glob("*.whl")
        target = tmp_path / kind
        shutil.unpack_archive(wheel, target, format="zip")
        file, names, works = names_seen([target], tmp_path)
        assert Path(file).parent == target / "fpsolver"
        assert names == checkout and works == [True] * 3
        assert (target / "fpsolver" / "data" / "iris.csv").is_file()
    (sdist,) = (distributions / "via_sdist").glob("*.tar.gz")
    shutil.unpack_archive(sdist, tmp_path / "sdist")
    assert not [path for path in (tmp_path / "sdist").rglob("*") if path.is_symlink()]


def test_editable_install_sees_the_same_names(tmp_path):
    """An editable install maps the folders through setup.cfg, without the links."""
    checkout = tmp_path / "checkout"
    skip = shutil.ignore_patterns(
        ".git", ".venv*", "__pycache__", "*.egg-info", "build", "dist", "results", ".hypothesis"
    )
    shutil.copytree(ROOT, checkout, symlinks=True, ignore=skip)
    environment = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True, capture_output=True)
    python = environment / "bin" / "python"
    subprocess.run(
        [python, "-m", "pip", "install", "--quiet", "--no-deps", "--editable", str(checkout)],
        check=True, capture_output=True,
    )  # fmt: skip
    _, expected, _ = names_seen([ROOT], tmp_path)
    # The dependencies come last and only now: on PYTHONPATH they would bring along whatever is installed beside them.
    code = f"import sys; sys.path.append({sysconfig.get_paths()['purelib']!r}){SEE_ALL}"
    result = subprocess.run([python, "-P", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    file, names, works = json.loads(result.stdout)
    assert Path(file).parent == checkout / "fpsolver" and names == expected and works == [True] * 3
