# make install   the program and its tools into .venv, its weights into your cache
# make demo      run it on a film of its own, or on yours: make demo FILM=path
# make test      every test; make lint, make types: the other checks; make check: the quick ones
# make docs      the site of the documents, in build/site
# make mutants   change the method's core in every small way, and see that a test fails: hours
# make audit     look for known faults in every library; make sbom: list them all in sbom.json
# make man       write the manual page of vcn anew, docs/vcn.1
# make dist      build what is published: a wheel and a source archive, in dist/
# make lock      write constraints.txt and hashes.txt anew; make clean: remove .venv and all caches here

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.PHONY: help install demo check test lint types docs mutants audit sbom man dist lock clean chromium

help:
	@sed -n '1,/^$$/s/^# //p' Makefile

install: $(INSTALLED)
	@$(BIN)/vcn setup > /dev/null

# Installing as root on Debian, what the system lacks is brought; elsewhere a sentence names it.
APT := [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq && \
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends

# Whatever is not torch is checked by its hash; of torch, pip takes the build that it finds for this
# machine, and a build for GPUs brings libraries of its own.
$(INSTALLED): pyproject.toml constraints.txt hashes.txt
	@command -v $(PYTHON) >/dev/null || \
		{ echo "There is no $(PYTHON): name one, as in 'make install PYTHON=python3.12'."; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed, and this is $$($(PYTHON) --version): name another," \
		"as in 'make install PYTHON=python3.12'."; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { $(APT) python3-venv; } || \
		{ echo "$(PYTHON) cannot make environments: install its venv module" \
		"(Debian: apt-get install python3-venv)."; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes --no-deps --requirement hashes.txt
	$(BIN)/python -m pip install --quiet --constraint constraints.txt torch
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

demo: install
	$(BIN)/vcn $(if $(FILM),run "$(FILM)",demo)

test: install chromium
	@$(BIN)/vcn setup --all --demo > /dev/null
	OMP_NUM_THREADS=1 $(BIN)/pytest --numprocesses auto --maxprocesses 4 \
		--no-loadscope-reorder

chromium:
	@command -v chromium >/dev/null || { $(APT) chromium fonts-dejavu-core; } || \
		{ echo "The tests of the report need Chromium on the PATH (Debian: apt-get install" \
		"chromium)."; exit 1; }

# What is asked before each commit, within a minute: the lines of the house, and the method's core.
check: lint types
	$(BIN)/pytest --quiet --exitfirst tests/test_imports.py tests/test_sentences.py \
		tests/test_records.py tests/test_config.py tests/models/test_loss.py \
		tests/finetune/test_matching.py tests/clustering/test_distance.py tests/results/test_metrics.py

lint: $(INSTALLED)
	$(BIN)/ruff format --check
	$(BIN)/ruff check

types: $(INSTALLED)
	$(BIN)/mypy

docs: $(INSTALLED)
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build

# mutmut has an environment of its own, and sees the program's.
mutants: $(INSTALLED)
	@$(BIN)/python -m venv build/mutmut
	@site='import sysconfig; print(sysconfig.get_path("purelib"))'; \
		$(BIN)/python -c "$$site" > "$$(build/mutmut/bin/python -c "$$site")/program.pth"
	@build/mutmut/bin/python -m pip install --quiet mutmut==3.8.1
	rm -rf mutants
	OMP_NUM_THREADS=1 build/mutmut/bin/mutmut run
	$(BIN)/python -m benchmarks mutants

audit: $(INSTALLED)
	@$(PYTHON) -m venv build/audit
	@build/audit/bin/python -m pip install --quiet pip-audit==2.10.1
	build/audit/bin/pip-audit --requirement constraints.txt --no-deps --disable-pip

sbom: $(INSTALLED)
	@$(PYTHON) -m venv build/sbom
	@build/sbom/bin/python -m pip install --quiet cyclonedx-bom==7.5.0
	build/sbom/bin/cyclonedx-py environment --output-reproducible --of JSON -o sbom.json $(BIN)/python

man: $(INSTALLED)
	$(BIN)/python docs/write_man.py

dist: $(INSTALLED)
	rm -rf dist
	$(BIN)/python -m hatchling build

lock:
	rm -rf build/lock
	$(PYTHON) -m venv build/lock
	build/lock/bin/python -m pip install --quiet "pip>=25.1" uv==0.13.9  # pip that knows --group
	build/lock/bin/python -m pip install --quiet --group dev .
	{ echo "# Every version that the tests run with. Written by 'make lock'."; \
	build/lock/bin/python -m pip freeze --exclude videoclusternet --exclude uv \
	| sed 's/+[^+]*$$//'; } > constraints.txt
	grep --invert-match '^torch==' constraints.txt > build/lock/versions.in
	{ echo "# The files of these versions, for every system. Written by 'make lock'."; \
	build/lock/bin/uv pip compile --quiet --no-deps --universal --python-version 3.11.5 \
		--generate-hashes --no-header --no-annotate build/lock/versions.in; } > hashes.txt
	rm -rf build/lock

clean:
	rm -rf $(VENV) build dist mutants .mypy_cache .pytest_cache .ruff_cache .hypothesis
