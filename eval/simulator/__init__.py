"""A simulated district: people, organisations and what the sources write about them, with the truth.

`simulate` writes the files of every source month by month in the shape they have in life; `simulate_canonical` writes
one file with canonical columns; `corrupt_registry` makes a multi-source copy of a table of real organisations. What
the district is like and how often each channel errs is the profile, `configs/simulator.toml`. It imports nothing it is
used to judge, so that it can serve as a witness.
"""

from eval.simulator.canonical import CorruptionSummary, corrupt_registry, simulate_canonical
from eval.simulator.district import Load, SimulationSummary, simulate
from eval.simulator.profile import ERROR_CLASSES, SimulatorError, SimulatorProfile, load_profile

__all__ = [
    "ERROR_CLASSES",
    "CorruptionSummary",
    "Load",
    "SimulationSummary",
    "SimulatorError",
    "SimulatorProfile",
    "corrupt_registry",
    "load_profile",
    "simulate",
    "simulate_canonical",
]
