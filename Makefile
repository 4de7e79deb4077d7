# make run   try everything on this machine      make check  the fast inner loop, under a minute
# make test  all checks and tests                make proof  long repetitions      make bench  the README's figures
# make image-test  builds the container and runs it, without a Docker engine (root, some minutes)

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
stamp = $(VENV)/.$(1)-$(shell cat $(2) pyproject.toml | sha256sum | cut -c1-16)
READY := $(call stamp,run,requirements-build.txt requirements.txt)
TESTED := $(call stamp,test,requirements-build.txt requirements-test.txt)
CATALOGUES := $(patsubst %.po,%.mo,$(wildcard locale/*/LC_MESSAGES/*.po))
DATA ?= data
PORT ?= 8080

.PHONY: run check test proof bench image-test lint setup setup-tests tools lock texts clean

run: setup
	@scripts/need --optional tor
	@$(BIN)/sotto demo --data "$(DATA)" --port "$(PORT)"

setup: $(READY) $(CATALOGUES)

setup-tests: setup $(TESTED)

locale/%.mo: locale/%.po $(READY)
	@$(BIN)/pybabel compile --input-file $< --output-file $@ 2>/dev/null

$(READY):
	@$(PYTHON) -c 'import sys; sys.exit("Sotto needs Python 3.11 or newer; name one: make $(MAKECMDGOALS) PYTHON=python3.12" if sys.version_info < (3, 11) else 0)'
	@scripts/need python3-venv
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing the locked Python packages (once, a minute or two) ..."
	@$(BIN)/python -m pip install --quiet --require-hashes -r requirements-build.txt
	@$(BIN)/python -m pip install --quiet --require-hashes --no-build-isolation -r requirements.txt
	@$(BIN)/python -m pip install --quiet --no-build-isolation --no-deps --no-index --editable . 2>/dev/null
	@rm -f $(VENV)/.run-*; touch $@

$(TESTED): $(READY)
	@echo "Installing what the tests need ..."
	@$(BIN)/python -m pip install --quiet --require-hashes --no-build-isolation -r requirements-test.txt
	@rm -f $(VENV)/.test-*; touch $@

tools:
	@scripts/need tor gpg sq rnp firefox-esr postgresql unzip strace mkfs.ext4 chromium npm java fonts-noto \
	  systemd-analyze mat2 bwrap

lint: setup-tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

check: lint
	$(BIN)/python -m pytest -q -n 2 -m "not slow and not tor and not browser and not proof"

# Three workers on two cores: some always wait, for a disk, for tor, for a browser. The last line takes the
# files in order: those of few tests are the longest there, and would come last.
test: tools lint
	$(BIN)/python -m tests.vectors.generate --check
	$(BIN)/python -m pytest -q -n 3 --dist loadfile -m "not proof and not tor and not browser"
	$(BIN)/python -m pytest -q -n 3 --dist loadfile --no-loadscope-reorder -m "(tor or browser) and not proof"

proof: tools setup-tests
	$(BIN)/python -m pytest -q -m "proof or hypothesis"

bench: tools setup-tests
	$(BIN)/python -m bench

image-test: setup
	@scripts/image-test

lock:
	@$(BIN)/python -m pip install --quiet uv
	for name in requirements requirements-test requirements-build; do \
	  $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --allow-unsafe \
	    --no-emit-index-url --no-emit-find-links --no-header $$name.in --output-file $$name.txt; done

texts:
	$(BIN)/pybabel extract -F locale/babel.cfg -k _ --no-location --sort-output --omit-header -o locale/messages.pot .
	$(BIN)/pybabel update -i locale/messages.pot -d locale --no-wrap --no-fuzzy-matching

clean:
	rm -rf $(VENV) build *.egg-info
