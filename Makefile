# Everything runs from a bare clone with Python 3.11 or newer and make.
#   make demo    the whole job on a simulated district
#   make test    the tests
#   make check   format, lint, types, tests with coverage (what CI runs)

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PACKAGES := matchers blocking linkage golden_records eval

.PHONY: demo test check format lint types cover test-slow bench lock clean

demo: $(VENV)/runtime.stamp
	$(BIN)/guiyi demo

test: $(VENV)/dev.stamp
	$(BIN)/pytest -n auto --dist worksteal -m "not slow"

check: lint types cover

format: $(VENV)/dev.stamp
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lint: $(VENV)/dev.stamp
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(VENV)/dev.stamp
	$(BIN)/mypy

cover: $(VENV)/dev.stamp
	$(BIN)/pytest -n auto --dist worksteal -m "not slow" --cov --cov-report=term

test-slow: $(VENV)/dev.stamp
	$(BIN)/pytest -n auto --dist worksteal -m slow

bench: $(VENV)/dev.stamp
	$(BIN)/python benchmarks/end_to_end.py

# Pins with hashes for every supported Python and platform; no index address is written. The lock is whole, so it is
# installed without resolving: older versions of pip look at an extra's newest release before they see its pin.
lock: $(VENV)/dev.stamp
	$(BIN)/uv pip compile -q pyproject.toml --extra build --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-header -o requirements.lock
	$(BIN)/uv pip compile -q pyproject.toml --extra build --extra dev --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-header -o requirements-dev.lock

clean:
	rm -rf $(VENV) build *.egg-info .coverage* .mypy_cache .ruff_cache .pytest_cache .hypothesis guiyi-demo

$(VENV)/pyvenv.cfg:
	$(PYTHON) -c 'import sys; assert sys.version_info >= (3, 11), "Guiyi needs Python 3.11 or newer"'
	$(PYTHON) -m venv $(VENV)

$(VENV)/runtime.stamp: $(VENV)/pyvenv.cfg requirements.lock pyproject.toml
	$(BIN)/python -m pip install --quiet --no-deps --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

$(VENV)/dev.stamp: $(VENV)/runtime.stamp requirements-dev.lock
	$(BIN)/python -m pip install --quiet --no-deps --require-hashes -r requirements-dev.lock
	touch $@
