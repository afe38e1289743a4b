"""The benchmarks are scripts beside the packages, not one of them: tests reach them through the project's root."""

import sys
from pathlib import Path

ROOT = str(Path(__file__).resolve().parents[2])
if ROOT not in sys.path:
    sys.path.append(ROOT)
