# Every task of a developer, the same here and in .ci/run. `make` alone lists them.

PYTHON ?= python3
# Processes that run tests. The libraries under test get one thread in each, or they fight.
WORKERS ?= auto

VENV := .venv
BIN := $(VENV)/bin
DEV := $(VENV)/.dev
BENCH := $(VENV)/.bench
CORE := src/penstock/_core.abi3.so
CARGO := PYO3_PYTHON=$(CURDIR)/$(BIN)/python cargo
RUST := --manifest-path rust/Cargo.toml
RUST_FILES := $(shell find rust -name target -prune -o \
	\( -name '*.rs' -o -name 'Cargo.*' -o -path 'rust/gateway/page/*' \) -print)
GATEWAY := rust/target/debug/penstock-gateway
PIP := $(BIN)/python -m pip --disable-pip-version-check
UV := uv pip compile --quiet --universal --python-version 3.11 --fork-strategy fewest \
	--no-strip-extras --generate-hashes --no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock'

.DEFAULT_GOAL := help
.PHONY: help setup venv demo test test-all check format bench build gateway lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(CORE) ## create .venv, install the locked requirements, build the core
venv: $(DEV) ## create .venv and install the locked requirements

demo: $(CORE) ## profile 327,346 flights, train, report, verify, predict, serve
	@$(BIN)/python -m demo.flights

test: $(CORE) $(GATEWAY) ## run the tests of the crates and of the package
	$(CARGO) test $(RUST) --package penstock-core --package penstock-batch --package penstock-gateway
	OMP_NUM_THREADS=1 PENSTOCK_GATEWAY_BINARY=$(CURDIR)/$(GATEWAY) \
		$(BIN)/python -m pytest --numprocesses $(WORKERS) -r s tests

test-all: $(CORE) $(GATEWAY) ## the same, and the long tail: all cases of the examination
	$(MAKE) test
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses $(WORKERS) -m slow tests

check: $(DEV) ## formatting, lints and types; changes nothing
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(CARGO) fmt $(RUST) --all --check
	$(CARGO) clippy $(RUST) --locked --workspace --all-targets -- --deny warnings

format: $(DEV) ## format everything, mend what lints can mend
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(CARGO) fmt $(RUST) --all

bench: $(CORE) $(BENCH) gateway ## measure beside other engines and servers; an hour once all is trained
	$(BIN)/python -m bench.run

build: $(DEV) ## a wheel for this platform, in dist/
	$(BIN)/maturin build --release --locked --out dist

gateway: ## the gateway as a program without Python, rust/target/release/penstock-gateway
	cargo build $(RUST) --release --locked --package penstock-gateway

lock: $(DEV) ## resolve requirements/*.in anew into *.txt
	$(PIP) install --quiet uv
	cd requirements && ../$(BIN)/$(UV) --upgrade dev.in --output-file dev.txt
	cd requirements && for name in bench $(patsubst requirements/%.in,%,$(wildcard requirements/bench-*.in)); do \
		../$(BIN)/$(UV) --upgrade $$name.in --constraint dev.txt --output-file $$name.txt || exit 1; done

$(GATEWAY): $(RUST_FILES)
	$(CARGO) build $(RUST) --package penstock-gateway --target-dir rust/target
	@touch $@

clean: ## remove .venv and everything that was built
	rm -rf $(VENV) build dist rust/target $(CORE) .mypy_cache .pytest_cache .ruff_cache .hypothesis

$(DEV): requirements/dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "\`$(PYTHON)\` is missing or older than Python 3.11; name another: make PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --require-hashes --requirement $<
	@touch $@

$(BENCH): requirements/bench.txt $(DEV)
	$(PIP) install --require-hashes --requirement $<
	@touch $@

$(CORE): $(DEV) $(RUST_FILES) pyproject.toml
	@command -v cargo >/dev/null || { \
		echo "\`cargo\` is missing; install Rust 1.89 or newer: https://rustup.rs" >&2; exit 1; }
	VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/maturin develop --release
	@touch $@
