# make run   try everything on this machine      make check  the fast inner loop, under a minute
# make test  all checks and tests                make proof  long repetitions      make bench  the README's figures

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready-$(shell cat requirements*.txt pyproject.toml | sha256sum | cut -c1-16)
DATA ?= data
PORT ?= 8080

.PHONY: run check test proof bench lint setup tools lock image image-test clean

run: setup
	@scripts/need --optional tor
	@$(BIN)/sotto demo --data $(DATA) --port $(PORT)

setup: $(READY)

$(READY):
	@scripts/need python3-venv
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing the locked Python packages (once, a minute or two) ..."
	@$(BIN)/python -m pip install --quiet --require-hashes -r requirements-build.txt
	@$(BIN)/python -m pip install --quiet --require-hashes --no-build-isolation -r requirements-test.txt
	@$(BIN)/python -m pip install --quiet --no-build-isolation --no-deps --no-index --editable .
	@rm -f $(VENV)/.ready-*; touch $@

tools:
	@scripts/need tor gpg sq firefox-esr postgresql unzip strace mkfs.ext4 chromium

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

check: lint
	$(BIN)/python -m pytest -q -n 2 -m "not slow and not tor and not browser and not proof"

test: tools lint
	$(BIN)/python -m tests.vectors.generate --check
	$(BIN)/python -m pytest -q -m "not proof"

proof: tools setup
	$(BIN)/python -m pytest -q -m proof

bench: tools setup
	$(BIN)/python -m bench

lock:
	@$(BIN)/python -m pip install --quiet uv
	for name in requirements requirements-test requirements-build; do \
	  $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --allow-unsafe \
	    --no-emit-index-url --no-emit-find-links --no-header $$name.in --output-file $$name.txt; done

clean:
	rm -rf $(VENV) build *.egg-info
