"""The command line: ``fpsolver run``, ``validate``, ``plot`` and ``info``.

Exit codes: 0 done, 1 a task or a claim failed, 2 bad input. What the commands need is imported when they run, so that
``fpsolver --help`` is quick.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

# Paths are judged where they are opened, with a message that says what to do.
PATH = click.Path(path_type=Path, readable=False)
CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


@contextmanager
def _one_message(interrupted: str = "interrupted") -> Iterator[None]:
    """Turn what a user can get wrong into one message and exit code 2, and a task that fails into exit code 1."""
    from fpsolver.errors import ConvergenceError, InputError, NumericalError, StorageError

    try:
        yield
    except (InputError, StorageError) as error:
        _leave(str(error), 2)
    except (ConvergenceError, NumericalError, MemoryError) as error:
        _leave(str(error) or "out of memory; use fewer cells or frames", 1)
    except KeyboardInterrupt:
        _leave(interrupted, 1)


def _leave(message: str, code: int) -> None:
    click.echo(message, err=True)
    sys.exit(code)


@click.group(context_settings=CONTEXT)
@click.version_option(package_name="fpsolver", message="%(prog)s %(version)s")
def main() -> None:
    """Densities of parameters under noise: define the landscape once, ask for evolution, equilibrium, rates."""


@main.command()
@click.argument("study", type=PATH)
@click.option("-o", "--output", type=PATH, help="HDF5 file to write [default: STUDY's name .h5, here].")
@click.option(
    "--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Replace an entry: dynamics.temperature=0.2."
)
@click.option("--overwrite", is_flag=True, help="Replace an existing file once the new one is complete.")
@click.option("--plots/--no-plots", default=None, help="Draw the plots too [default: as the study says].")
@click.option("-q", "--quiet", is_flag=True, help="No summary and no progress bar.")
def run(
    study: Path, output: Path | None, overrides: tuple[str, ...], overwrite: bool, plots: bool | None, quiet: bool
) -> None:
    """Run the study file STUDY and write its results."""
    with _one_message("interrupted; frames that were saved are in the .partial folder"):
        from fpsolver.studies.execution import run_study
        from fpsolver.studies.study import load_study

        checked = load_study(study, overrides)
        path = output or Path(study.stem + ".h5")
        drawing = checked.section("output").plots if plots is None else plots
        if drawing:
            from fpsolver.plotting import check_folder, default_folder

            check_folder(default_folder(path), overwrite=overwrite)
        if not quiet:
            for message in checked.warnings:
                click.echo(f"warning: {message}", err=True)
        outcome = run_study(checked, path, overwrite=overwrite, progress=not quiet)
        drawn: list[Path] = []
        if drawing:
            from fpsolver.plotting import plot_results

            drawn = plot_results(path, overwrite=overwrite)
        if not quiet:
            from fpsolver.report import summary

            click.echo(summary(checked, outcome, drawn))


@main.command()
@click.argument("patterns", nargs=-1, metavar="[PATTERN]...")
@click.option("--list", "listed", is_flag=True, help="List the claims and check nothing.")
@click.option("--quick/--full", "quick", default=True, help="Minutes, or more statistics and smaller parameters.")
@click.option("--json", "json_only", is_flag=True, help="Print JSON and nothing else.")
@click.option("--report", type=PATH, metavar="DIR", help="Write the page DIR/index.html too, plots included.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of every random number.")
@click.option("--workers", type=click.IntRange(min=1), help="Processes [default: one a core].")
@click.option(
    "-o",
    "--output",
    type=PATH,
    metavar="FILE",
    default=Path("validation.h5"),
    show_default=True,
    help="HDF5 file to which the results are added.",
)
def validate(
    patterns: tuple[str, ...],
    listed: bool,
    quick: bool,
    json_only: bool,
    report: Path | None,
    seed: int,
    workers: int | None,
    output: Path,
) -> None:
    """Check the claims that PATTERNs name against their recorded verdicts, or all of them.

    A PATTERN is a family (escape), an identifier (A6.2), a glob ("E*") or a Python file that registers claims.
    """
    with _one_message("interrupted; what was written stays"):
        from fpsolver.validation.ledger import select

        if listed:
            from fpsolver.validation.summary import listing

            click.echo(listing(select(patterns)))
            return
        from fpsolver.validation.recording import record, runs_in
        from fpsolver.validation.run import validate as run_checks

        runs_in(output)  # before hours are spent
        if report is not None:
            from fpsolver.validation.page import check_folder

            check_folder(report)
        effort = "quick" if quick else "full"
        outcomes = run_checks(patterns, effort=effort, seed=seed, workers=workers, progress=True)
        # What was found is said first: a file that cannot be written does not take it away.
        if json_only:
            from fpsolver.validation.as_json import as_json

            click.echo(as_json(outcomes))
        else:
            from fpsolver.validation.summary import summary

            click.echo(summary(outcomes))
        written = [f"{output} ({record(outcomes, output)})"]
        if report is not None:
            from fpsolver.validation.page import write_report

            written.append(str(write_report(outcomes, report)))
        if not json_only:
            click.echo(f"written: {', '.join(written)}")
    if not all(outcome.passed for outcome in outcomes):
        sys.exit(1)


@main.command()
@click.argument("results", type=PATH)
@click.option("-o", "--output", type=PATH, help="Folder for the PNG files [default: RESULTS's name _plots].")
@click.option("--overwrite", is_flag=True, help="Replace plots that are there.")
def plot(results: Path, output: Path | None, overwrite: bool) -> None:
    """Draw what the result file RESULTS holds, as PNG files."""
    with _one_message():
        from fpsolver.plotting import plot_results

        for path in plot_results(results, output, overwrite=overwrite):
            click.echo(str(path))


@main.command()
@click.argument("results", type=PATH, required=False)
@click.option("--verify", is_flag=True, help="Read every array of RESULTS and compare the checksums.")
def info(results: Path | None, verify: bool) -> None:
    """Say what this installation is, or what the result file RESULTS holds."""
    with _one_message():
        from fpsolver.report import describe_file, describe_installation

        if results is None:
            click.echo(describe_installation())
            return
        from fpsolver.storage.results import open_results
        from fpsolver.validation.recording import described, is_record

        with open_results(results) as store:
            if is_record(store):
                click.echo(described(store))
            else:
                click.echo(describe_file(store))
            if verify:
                click.echo(f"\n{store.verify()} arrays read, every checksum fits")


if __name__ == "__main__":
    main()
