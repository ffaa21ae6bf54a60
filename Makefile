# make install   the program and its tools into .venv, its weights into your cache
# make demo      run it on a film of its own, or on yours: make demo FILM=path
# make test      every test; make lint, make types: the other checks
# make mutants   change the method's core in every small way, and see that a test fails: hours
# make audit     look for known faults in every library; make sbom: list them all in sbom.json
# make lock      write constraints.txt anew; make clean: remove .venv and all caches here

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.PHONY: help install demo test lint types mutants audit sbom lock clean chromium

help:
	@sed -n '1,/^$$/s/^# //p' Makefile

install: $(INSTALLED)
	@$(BIN)/vcn setup > /dev/null

# Installing as root on Debian, what the system lacks is brought; elsewhere a sentence names it.
APT := [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq && \
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends

$(INSTALLED): pyproject.toml constraints.txt
	@command -v $(PYTHON) >/dev/null || \
		{ echo "There is no $(PYTHON): name one, as in 'make install PYTHON=python3.12'."; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed, and this is $$($(PYTHON) --version): name another," \
		"as in 'make install PYTHON=python3.12'."; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { $(APT) python3-venv; } || \
		{ echo "$(PYTHON) cannot make environments: install its venv module" \
		"(Debian: apt-get install python3-venv)."; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet "pip>=25.1"  # the first that knows --group
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --group dev --editable .
	@touch $@

demo: install
	$(BIN)/vcn $(if $(FILM),run "$(FILM)",demo)

test: install chromium
	@$(BIN)/vcn setup --all --demo > /dev/null
	$(BIN)/pytest

chromium:
	@command -v chromium >/dev/null || { $(APT) chromium fonts-dejavu-core; } || \
		{ echo "The tests of the report need Chromium on the PATH (Debian: apt-get install" \
		"chromium)."; exit 1; }

lint: $(INSTALLED)
	$(BIN)/ruff format --check
	$(BIN)/ruff check

types: $(INSTALLED)
	$(BIN)/mypy

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

lock:
	rm -rf build/lock
	$(PYTHON) -m venv build/lock
	build/lock/bin/python -m pip install --quiet "pip>=25.1"
	build/lock/bin/python -m pip install --quiet --group dev .
	{ echo "# Every version that the tests run with. Written by 'make lock'."; \
	build/lock/bin/python -m pip freeze --exclude videoclusternet | sed 's/+[^+]*$$//'; } > constraints.txt
	rm -rf build/lock

clean:
	rm -rf $(VENV) build dist mutants .mypy_cache .pytest_cache .ruff_cache .hypothesis
