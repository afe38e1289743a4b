"""Commands that need no workspace: a demonstration, a simulated district, one-off linking, measuring."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from linkage.cli.app import AsJson, Entity, Language, Quiet, app, day, entity_name, now
from linkage.commands.console import Console

MemoryLimit = Annotated[
    str | None,
    typer.Option(metavar="SIZE", help="DuckDB's memory limit, as 8GB; else 40% of the machine, up to 3 GB."),
]


@app.command()
def demo(
    output: Annotated[Path, typer.Option(help="Directory to make.")] = Path("guiyi-demo"),
    people: Annotated[int, typer.Option(min=100, help="Natural persons in the district.")] = 8_000,
    organisations: Annotated[int, typer.Option(min=20, help="Organisations in the district.")] = 2_000,
    months: Annotated[int, typer.Option(min=1, max=24)] = 3,
    seed: Annotated[int, typer.Option(help="The same seed gives the same district.")] = 20250101,
    lang: Annotated[Language, typer.Option(help="Language of the report.")] = Language.zh,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> int:
    """Show the whole job on a simulated district, and print where to look."""
    from linkage.commands.demo import run_demo

    console = Console(quiet=quiet, brief=True, as_json=as_json)
    return run_demo(
        output,
        people=people,
        organisations=organisations,
        months=months,
        seed=seed,
        language=lang.value,
        now=now(),
        console=console,
    )


@app.command()
def simulate(
    people: Annotated[int, typer.Option(min=1)],
    organisations: Annotated[int, typer.Option(min=1)],
    output: Annotated[Path, typer.Option(help="Directory to make.")],
    months: Annotated[int, typer.Option(min=1, max=120)] = 1,
    seed: Annotated[int, typer.Option(help="The same seed gives the same files.")] = 20250101,
    profile: Annotated[Path | None, typer.Option(help="Error profile (TOML) instead of the shipped one.")] = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> int:
    """Write the source files of a simulated district, and the truth beside them."""
    from linkage.commands.demo import simulate_district

    console = Console(quiet=quiet, as_json=as_json)
    return simulate_district(
        output,
        people=people,
        organisations=organisations,
        months=months,
        seed=seed,
        profile=profile,
        console=console,
    )


@app.command()
def link(
    entity: Entity,
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="CSV, XLSX, Parquet or JSON Lines.")],
    output: Annotated[Path, typer.Option(help="Directory for the results.")],
    config: Annotated[Path | None, typer.Option(help="Source configuration (TOML) that maps the columns.")] = None,
    entity_config: Annotated[Path | None, typer.Option(help="Entity configuration instead of the shipped one.")] = None,
    model: Annotated[Path | None, typer.Option(help="A model file instead of training or the shipped one.")] = None,
    as_of: Annotated[str | None, typer.Option(help="Date of the data where the rows give none, YYYY-MM-DD.")] = None,
    truth: Annotated[Path | None, typer.Option(help="True entities, for precision and recall in the report.")] = None,
    lang: Annotated[Language, typer.Option(help="Language of the report.")] = Language.zh,
    memory_limit: MemoryLimit = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> int:
    """Link the records of a few files once, without a workspace."""
    from linkage.commands.one_off import LinkRequest, link_files

    request = LinkRequest(
        entity=entity_name(entity),
        files=tuple(files),
        output=output,
        source_config=config,
        entity_config=entity_config,
        model=model,
        as_of=day(as_of) if as_of else now().date(),
        truth=truth,
        language=lang.value,
        memory_limit=memory_limit,
    )
    return link_files(request, now=now(), console=Console(quiet=quiet, as_json=as_json))


@app.command()
def calibrate(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="A workspace, or record files as for link.")],
    entity: Annotated[Entity | None, typer.Option(help="Entity type; needed for files, else both.")] = None,
    truth: Annotated[Path | None, typer.Option(help="True entities: source, source_record_id, entity_id.")] = None,
    labels: Annotated[Path | None, typer.Option(help="Rulings on pairs of records: left, right, same.")] = None,
    error: Annotated[float, typer.Option(help="Share of automatic links that may be false.")] = 0.0005,
    review_share: Annotated[float, typer.Option(help="Share of true pairs from which a person is asked.")] = 0.02,
    output: Annotated[Path | None, typer.Option(help="Also write a page with the charts here (HTML).")] = None,
    config: Annotated[Path | None, typer.Option(help="Source configuration that maps the files' columns.")] = None,
    entity_config: Annotated[Path | None, typer.Option(help="Entity configuration for files.")] = None,
    model: Annotated[Path | None, typer.Option(help="Model file for files.")] = None,
    as_of: Annotated[str | None, typer.Option(help="Date of rows of files that give none, YYYY-MM-DD.")] = None,
    lang: Annotated[Language, typer.Option(help="Language of text and page.")] = Language.zh,
    memory_limit: MemoryLimit = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> int:
    """Compare match weights with labels, and propose thresholds that keep a stated error; changes nothing."""
    from linkage.commands.calibrate import CalibrationRequest, show_calibration

    request = CalibrationRequest(
        paths=tuple(paths),
        entity=entity_name(entity) if entity else None,
        truth=truth,
        rulings=labels,
        error=error,
        review_share=review_share,
        page=output,
        language=lang.value,
        source_config=config,
        entity_config=entity_config,
        model=model,
        as_of=day(as_of) if as_of else now().date(),
        memory_limit=memory_limit,
    )
    return show_calibration(request, now=now(), console=Console(quiet=quiet, as_json=as_json))


@app.command("eval")
def evaluate(
    clusters: Annotated[Path, typer.Argument(metavar="CLUSTERS", help="source, source_record_id, entity_id.")],
    truth: Annotated[Path, typer.Argument(metavar="TRUTH", help="source, source_record_id, entity_id.")],
    as_json: AsJson = False,
) -> int:
    """Compare clusters with the truth: precision, recall and the errors by class."""
    from eval.metrics import as_dict, evaluate_files
    from eval.metrics_text import as_table

    metrics = evaluate_files(clusters, truth)
    Console(as_json=as_json).result(as_table(metrics), as_dict(metrics))
    return 0
