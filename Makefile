# Every target sets itself up: it needs python3 (3.11 or newer), make and git, nothing else.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

# Without kept bytecode each of the processes that tests start compiles everything again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test check bench fuzz docs clean

demo: $(READY)
	$(BIN)/miniapp demo --install-browser

test: $(READY)
	@sh tests/parts.sh
	$(BIN)/python -m pytest -n auto --dist worksteal $(ARGS)

check: $(READY)
	$(BIN)/ruff check launcher flows tests
	$(BIN)/ruff format --check launcher flows tests
	$(BIN)/mypy

bench: $(READY)
	@$(BIN)/python -m tests.bench $(ARGS)

fuzz: $(READY)
	$(BIN)/python -m pytest -m "slow or hypothesis" --hypothesis-profile=long $(ARGS)

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "miniapp-launcher needs Python 3.11 or newer: make PYTHON=python3.12 ...")'
	@test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV) || \
		{ test "$$(id -u)" = 0 && apt-get install -y python3-venv && $(PYTHON) -m venv --clear $(VENV); } || \
		{ echo "Python's venv module is missing: install python3-venv and run make again." >&2; exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[keyring,proxy,qr,browser,metapro,monitor,scale,test,check]'
	@touch $(READY)

docs: $(READY)
	$(BIN)/python -m tests.readme

clean:
	rm -rf $(VENV) demo-report .mypy_cache .ruff_cache .pytest_cache .hypothesis
