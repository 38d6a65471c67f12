# Two commands do everything on a fresh machine: `make demo` and `make test`.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
PEERS := .venv/.peers
TESTS := 2  # processes that tests run in; some start others of up to 1.5 GiB and two threads

.PHONY: demo test long check lint docs bench faults clean

demo: $(READY)  ## the main job on data that comes along, under three minutes
	$(BIN)/inkfold demo --overwrite

test: $(READY)  ## every test but those that are marked long
	$(BIN)/python -m pytest -n $(TESTS) --dist worksteal -m "not long"

long: $(READY)  ## the tests that take about a minute each
	$(BIN)/python -m pytest -n $(TESTS) --dist worksteal -m long

check: lint  ## format, lint, types and the fast tests
	$(BIN)/python -m pytest -n $(TESTS) --dist worksteal -m "not slow and not long"

lint: $(READY)  ## format, lint and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

docs: $(READY)  ## the documentation as a site, in site/
	$(BIN)/python docs/site/build.py

bench: $(PEERS)  ## every benchmark in its short form, under ten minutes; writes benchmarks/results.md
	$(BIN)/python benchmarks/results.py

faults: $(READY)  ## kills, Ctrl-C, faults of the disk, other surroundings, damage, hostile names and pictures, the page: what was lost
	$(BIN)/python benchmarks/faults.py --trials 4
	$(BIN)/python benchmarks/ctrl_c.py --trials 2
	$(BIN)/python benchmarks/disk_errors.py --trials 14
	$(BIN)/python benchmarks/determinism.py
	$(BIN)/python -m benchmarks.damage --count 25
	$(BIN)/python benchmarks/hostile_names.py --trials 60
	$(BIN)/python benchmarks/page_faults.py --trials 20
	$(BIN)/python benchmarks/hostile_pictures.py

$(READY): pyproject.toml requirements.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $(READY)

$(PEERS): $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[bench]'
	touch $(PEERS)

clean:
	rm -rf .venv demo site .mypy_cache .pytest_cache .ruff_cache
