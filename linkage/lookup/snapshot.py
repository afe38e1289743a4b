"""One release of the catalog as a lookup reads it: the release's number, and the model of each entity type.

A `Lookup` holds a read-only connection of one thread and what it has read of models; `Lookup.reading` gives a block in
which everything comes from one release, whatever is published meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from pydantic import ValidationError

from golden_records.catalog.lookup import KINDS
from golden_records.catalog.publish import current_release
from golden_records.catalog.store import Catalog
from linkage.entity_config import EntityConfig
from linkage.errors import LinkageError
from linkage.fields import Entity
from linkage.lookup.publishing import keys_made_by
from linkage.model.parameters import Model, levels_hash, term_frequency_columns


@dataclass(frozen=True)
class EntityModel:
    """What the profiles of one entity type were linked with.

    Attributes:
        kind: LP or NP.
        config: the entity type's configuration.
        model: its parameters.
        unseen: term-frequency column to the frequency of a value that is not listed.
        bucket_bits: into how many buckets the blocking keys go, as a power of two.
    """

    kind: str
    config: EntityConfig
    model: Model
    unseen: dict[str, float]
    bucket_bits: int


@dataclass(frozen=True)
class Snapshot:
    """A release, readable while its `Lookup.reading` block lasts.

    Attributes:
        catalog: the store.
        release: the release's number.
        models: what `Lookup` keeps of this release.
    """

    catalog: Catalog
    release: int
    models: dict[str, EntityModel | str] = field(repr=False)

    def model(self, entity: Entity) -> EntityModel:
        """Return the model of an entity type.

        Raises:
            LookupUnavailableError: the release cannot be searched by name.
        """
        kind = KINDS[entity]
        if kind not in self.models:
            self.models[kind] = _load(self.catalog, kind)
        found = self.models[kind]
        if isinstance(found, str):
            raise LookupUnavailableError(f"release {self.release}: {entity}: {found}; make a release with `guiyi run`")
        return found

    def frequency(self, model: EntityModel, column: str, value: object) -> float | None:
        """Return how common a value is, None where nothing was counted."""
        row = self.catalog.row(
            "select frequency from lookup_frequency where kind = ? and field = ? and value = ?",
            (model.kind, column, str(value)),
        )
        return model.unseen.get(column) if row is None else float(row[0])


class LookupUnavailableError(LinkageError):
    """The current release can be asked by identifier only."""


class Lookup:
    """A catalog as one thread asks it; close the catalog when done."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self._release = -1
        self._models: dict[str, EntityModel | str] = {}

    @contextmanager
    def reading(self) -> Iterator[Snapshot]:
        """Give the current release."""
        with self.catalog.reading():
            release = current_release(self.catalog)
            if release != self._release:
                self._release, self._models = release, {}
            yield Snapshot(self.catalog, release, self._models)


def _load(catalog: Catalog, kind: str) -> EntityModel | str:
    row = catalog.row("select config, model, keys_made_by, bucket_bits from lookup_model where kind = ?", (kind,))
    if row is None:
        return "entities can be found by identifier only (rolled back, upgraded, or published without lookup tables)"
    try:
        config, model = EntityConfig.model_validate_json(row[0]), Model.model_validate_json(row[1])
        fits = keys_made_by(config) == row[2] and levels_hash(config) == model.levels_hash
    except (ValidationError, LinkageError, KeyError):
        fits = False
    if not fits:
        return "made by another version of this program"
    unseen = {}
    for column in term_frequency_columns(config):
        found = catalog.row(
            "select frequency from lookup_frequency where kind = ? and field = ? and value = ''", (kind, column)
        )
        if found is not None:
            unseen[column] = float(found[0])
    return EntityModel(kind, config, model, unseen, int(row[3]))
