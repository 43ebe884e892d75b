# The usual ways into fer. `./fer` does the work; see ./fer --help and ./fer setup --help.
.DEFAULT_GOAL := help
.PHONY: help run setup test test-jazzy test-newest test-faults lint contracts docs bench bench-check bench-network peers rendered-heads clean

PYTEST_ARGS ?=
# How many tests run at the same time, where pytest-xdist is installed; 0: one after the other.
WORKERS ?= 2
WORKERS_ARGS = $(shell ./fer exec python3 -c "import xdist; print('-n $(WORKERS) --dist worksteal')" 2>/dev/null)
# The sources themselves: what is installed may hold files that have moved since.
empty :=
SOURCES := $(subst $(empty) $(empty),:,$(wildcard src/fer*))

help:  ## show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 21

run:  ## set up what is missing and start the graph: make run ARGS="--duration 20"
	@./fer up $(ARGS)

setup:  ## set up what is missing, without starting anything
	@./fer setup

test: lint  ## lint, then the tests of all packages and of the whole graph
	@./fer exec python3 -m pytest $(WORKERS_ARGS) $(PYTEST_ARGS)

test-jazzy:  ## the tests on ROS 2 Jazzy and the libraries of Ubuntu 24.04, where there is CPython 3.12
	@python3 tools/test_on.py jazzy $(ARGS)

test-newest:  ## the tests on the newest version of every library, where there is CPython 3.12 or newer
	@python3 tools/test_on.py newest $(ARGS)

test-faults:  ## inject every fault many times, and write docs/reliability.md: about an hour
	@./fer setup --test
	@./fer exec python3 -m pytest test/faults test/fuzz --long --figures $(ARGS)

lint:  ## ruff, mypy, codespell and the import contracts
	@./fer setup --test
	@./fer exec ruff check .
	@./fer exec ruff format --check .
	@./fer exec mypy
	@./fer exec codespell
	@$(MAKE) --no-print-directory contracts

contracts:
	@./fer exec env PYTHONPATH=$(SOURCES) lint-imports

docs:  ## write pages about the Python interface to build/docs
	@./fer setup
	@./fer exec python3 -m pip install -q --disable-pip-version-check --no-deps --upgrade \
		--target .fer/docs -r requirements-docs.txt
	@./fer exec env PYTHONPATH=$(SOURCES):.fer/docs python3 -m sphinx -q -W --keep-going \
		docs/api build/docs
	@echo "build/docs/index.html"

bench: peers  ## measure everything and write docs/performance.md: make bench ARGS="network micro"
	@./fer bench $(ARGS)

bench-check: peers  ## fail where something became slower, measured against its peers
	@./fer bench check $(ARGS)

peers: .fer/bench/made  ## set up what benchmarks compare with
	@./fer setup --test

.fer/bench/made: requirements-bench.txt
	@./fer setup
	@./fer exec python3 -m venv --clear .fer/bench
	@.fer/bench/bin/python -m pip install -q --disable-pip-version-check --no-deps -r $<
	@touch $@

bench-network:  ## measure the graph on two hosts over bad links and write docs/distributed.md: 6 minutes
	@./fer setup
	@./fer exec sh -c 'cd bench && exec python3 -m fer_bench.link "$$@"' bench-network $(ARGS)

rendered-heads:  ## write pictures of rendered heads: make rendered-heads ARGS="test /tmp/heads"
	@./fer exec env PYTHONPATH=test/fer_testing python3 -m fer_testing.rendering $(ARGS)

clean:  ## remove everything that was set up, built or cached
	rm -rf .venv .fer build install log .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
