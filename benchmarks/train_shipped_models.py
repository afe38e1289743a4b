"""Train the models that ship in configs/models on simulated records, and say what they rest on.

    python benchmarks/train_shipped_models.py [--records N] [--seed S]

A shipped model serves data too small to carry enough identifier labels of its own. It is trained on the simulator with
a seed that no test and no measurement uses.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from blocking.sql import quote
from eval.simulator import simulate_canonical
from linkage.commands.console import Console
from linkage.database import connect
from linkage.entity_config import load_entity_config
from linkage.fields import CANONICAL_FIELDS, ENTITIES
from linkage.model.parameters import save_model
from linkage.pipeline import LinkageOptions, link_records
from linkage.stages import StageClock

MODELS = Path(__file__).parent.parent / "configs" / "models"


def train_shipped(entity: str, records: int, seed: int) -> None:
    config = load_entity_config(entity)
    with tempfile.TemporaryDirectory() as scratch, connect(Path(scratch) / "batch.duckdb") as con:
        simulate_canonical(entity, records, Path(scratch) / "data", seed)
        columns = ", ".join(f"cast({quote(f)} as varchar) as {quote(f)}" for f in CANONICAL_FIELDS[config.entity])
        con.execute(
            f"create table {entity}_raw as select source || ':' || source_record_id as record_id, source, "
            f"source_record_id, cast(as_of as varchar) as as_of, {columns} from read_parquet(?)",
            [str(Path(scratch) / "data" / f"{entity}.parquet")],
        )
        run = link_records(con, config, LinkageOptions(training="always"), StageClock(Console()))
        save_model(run.trained, MODELS / f"{entity}.json")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=int, default=300_000)
    parser.add_argument("--seed", type=int, default=918_273)
    arguments = parser.parse_args()
    for entity in ENTITIES:
        train_shipped(entity, arguments.records, arguments.seed)


if __name__ == "__main__":
    main()
