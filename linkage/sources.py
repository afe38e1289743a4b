"""The source configurations a workspace knows: its own first, then the shipped ones."""

from __future__ import annotations

from importlib import resources

from linkage.errors import ConfigError
from linkage.ingest.errors import nearest
from linkage.ingest.source_config import SourceConfig, load_source_configs
from linkage.workspace import SETTINGS_FILE, Workspace


def known_sources(workspace: Workspace) -> dict[str, SourceConfig]:
    """Return source name to configuration."""
    with resources.as_file(resources.files("configs").joinpath("sources")) as shipped:
        found = load_source_configs(shipped)
    if workspace.settings.sources:
        own = workspace.root / workspace.settings.sources
        if not own.is_dir():
            raise ConfigError(
                f"{own}: no such directory; make it, or correct sources in {workspace.root / SETTINGS_FILE}"
            )
        found |= load_source_configs(own)
    return found


def source_of(workspace: Workspace, name: str) -> SourceConfig:
    """Return one source's configuration.

    Raises:
        ConfigError: there is none of that name; lists the known ones.
    """
    found = known_sources(workspace)
    if name not in found:
        near = nearest(name, found)
        hint = f"; did you mean {near!r}?" if near else ""
        raise ConfigError(
            f"source {name!r}: no configuration of that name{hint} (known: {', '.join(sorted(found))}); "
            "write one as docs/configuration.md says and name its directory in guiyi.toml under sources"
        )
    return found[name]
