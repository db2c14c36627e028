# Two commands need only Python 3.11 or later: `make demo` and `make test`.
# PYTHON=/path/to/python chooses the interpreter; ARGS="-k uploads" is passed to pytest.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := test
# Two jobs, since installing and checking often wait for the network or the disk.
MAKEFLAGS += --jobs=2

PYTHON ?= python3 python3.14 python3.13 python3.12 python3.11 python
ARGS ?=
# One more than cores, since tests wait for other processes and for clocks. Each needs about 2 GiB
# for the fakes, proxies and SDKs that its end-to-end tests start.
PROCESSES ?= $(shell cores=$$(getconf _NPROCESSORS_ONLN); echo $$((cores < 4 ? cores + 1 : 4)))
ONLY ?=
LONG ?=

VENV := .venv
VENV_SDK2 := .venv-sdk2
VENV_PEERS := .venv-peers
VENV_FRAMEWORKS := .venv-frameworks
VENV_LOCK := .venv-lock
PEERS := tests/benchmarks/peers
JAVASCRIPT := tests/end_to_end/javascript
GO := tests/end_to_end/go
JAVA := tests/end_to_end/java
FRAMEWORKS := tests/end_to_end/frameworks
FRAMEWORK_LOCKS := $(patsubst %.in,%.lock,$(wildcard $(FRAMEWORKS)/*.in))
UV := uv==0.13.9
HELM := .tools/bin/helm
HELM_MODULE := helm.sh/helm/v3/cmd/helm@v3.22.0
PROMTOOL := .tools/bin/promtool

# The packages that the image installs, and the licences that they may have.
SHIPPED = $(shell sed -n 's/^\([a-z0-9._-]*\)\(\[.*\]\)\{0,1\}==.*/\1/p' deploy/requirements.lock)
LICENCES := 3-Clause BSD License;Apache Software License;Apache-2.0;Apache-2.0 AND BSD-2-Clause;$\
  Apache-2.0 AND MIT;Apache-2.0 OR BSD-3-Clause;BSD-2-Clause;BSD-3-Clause;MIT;MIT License;MIT OR Apache-2.0;$\
  MIT-0;MPL-2.0 AND (Apache-2.0 OR MIT);Mozilla Public License 2.0 (MPL 2.0);PSF-2.0;$\
  Python Software Foundation License

SBOM ?= build/sbom.json

FUZZ_REQUESTS ?= 1000000
FUZZ_SEED ?= 1
PARSER_SECONDS ?= 60
SOAK_SECONDS ?= 600

# A developer's own Python settings must not change the result.
export PYTHONNOUSERSITE := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1

INSTALLED := $(VENV)/.installed
SDKS := $(VENV_SDK2)/.installed
ifneq ($(shell command -v npm),)
SDKS += $(JAVASCRIPT)/node_modules/.installed
endif
ifneq ($(shell command -v go),)
SDKS += $(GO)/bin/runner
endif
JDK := $(shell javac -version 2>&1 | sed -n 's/^javac \([0-9]*\).*/\1/p')
ifneq ($(shell command -v mvn >/dev/null && test "$(JDK)" -ge 17 2>/dev/null && echo yes),)
SDKS += $(JAVA)/target/.built
endif

TOOLS :=
ifneq ($(shell command -v go),)
TOOLS += $(HELM)
endif
ifeq ($(shell command -v promtool),)
ifneq ($(shell command -v apt-get),)
TOOLS += $(PROMTOOL)
endif
endif

.PHONY: demo test faults frameworks lint types check audit licences sbom bench bench-peers bench-growth bench-memory bench-translation long-creation replicas capacity record-calls overload fuzz fuzz-parsers soak install sdks tools lock clean

## Runs the whole workflow of every provider against the fakes, without keys or network.
demo: $(INSTALLED)
	$(VENV)/bin/python -m tests.demo

## Runs everything that CI checks; pytest runs last, in several processes.
test: install sdks tools lint types licences
	$(VENV)/bin/python -m pytest --numprocesses=$(PROCESSES) --dist=loadfile $(ARGS)

lint: $(INSTALLED)
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/lint-imports
	$(VENV)/bin/deptry .

types: $(INSTALLED)
	$(VENV)/bin/mypy

## What to run before a release; `audit` needs the network.
check: lint licences sbom audit

## Looks for known vulnerabilities; fails too if it could not ask about every package.
audit: $(INSTALLED)
	for lock in requirements.lock deploy/requirements.lock; do \
	  $(VENV)/bin/pip-audit --strict --disable-pip --require-hashes --requirement "$$lock"; \
	done

## Fails if a package in the image has a licence that is not among LICENCES.
licences: $(INSTALLED)
	$(VENV)/bin/pip-licenses --packages $(SHIPPED) --allow-only="$(LICENCES)" >/dev/null

## Writes the bill of materials of what the image installs, in CycloneDX's form.
sbom: $(INSTALLED)
	mkdir -p $(dir $(SBOM))
	$(VENV)/bin/cyclonedx-py requirements deploy/requirements.lock --pyproject pyproject.toml \
	    --output-reproducible --output-file $(SBOM)

## Runs all tests of faults, also those that wait for long.
faults: install
	$(VENV)/bin/python -m pytest tests/test_faults -m "long or not long"

## Asks every provider through each framework of deploy/docs/frameworks.md, which it installs into
## environments of their own; takes two minutes after that. ARGS="-k LiteLLM" asks through one.
frameworks: $(INSTALLED) $(FRAMEWORK_LOCKS:$(FRAMEWORKS)/%.lock=$(VENV_FRAMEWORKS)/%/.installed)
	$(VENV)/bin/python -m pytest $(FRAMEWORKS) $(ARGS)

## Measures speed, memory and the start beside nginx, a bare relay and a parser, on Linux, and writes
## tests/benchmarks/report; takes twenty minutes. ONLY="some words" prints the rows whose names
## contain them, and writes nothing.
bench: $(INSTALLED)
	$(VENV)/bin/python -m tests.benchmarks.side_by_side --only "$(ONLY)"

## Measures small answers and streams beside LiteLLM and Portkey, which it installs into environments of
## their own; takes five minutes after that. One that cannot be installed is reported as not measured.
bench-peers: $(INSTALLED)
	$(MAKE) $(VENV_PEERS)/.installed || echo "LiteLLM could not be installed"
	$(MAKE) $(PEERS)/node_modules/.installed || echo "Portkey could not be installed; it needs npm"
	$(VENV)/bin/python -m tests.benchmarks.side_by_side.peers

## Measures how cost grows with the size of a file, the lines of a batch and the connections; takes
## four minutes, and with LONG=--long, up to what the providers take, six.
bench-growth: $(INSTALLED)
	$(VENV)/bin/python -m tests.benchmarks.side_by_side.growth $(LONG) --only "$(ONLY)"

## Measures the peak memory under the loads that stream the most; fails if it exceeds a limit.
bench-memory: $(INSTALLED)
	$(VENV)/bin/python -m tests.benchmarks

## Measures the CPU time of translation in memory, without sockets.
bench-translation: $(INSTALLED)
	$(VENV)/bin/python -m tests.benchmarks.translation

## Creates the largest batch of each provider behind an nginx that waits for 60 seconds; takes ten
## minutes, and some GiB of memory and disk.
long-creation: $(INSTALLED)
	$(VENV)/bin/python -m tests.benchmarks.long_creation

## Measures what operations cost on a bucket, for the capacity model, and compares several replicas
## with it; takes eight minutes on a quiet machine.
replicas: $(INSTALLED)
	$(VENV)/bin/python -m tests.benchmarks.replicas --record

## Prints the tables of deploy/docs/capacity.md, and replays the model's arrivals.
capacity: $(INSTALLED)
	$(VENV)/bin/python -m tests.benchmarks.capacity
	$(VENV)/bin/python -m tests.benchmarks.capacity_simulation

## Records the numbers of calls that the tests found today, into tests/recorded; see recorded_counts.py.
record-calls: install
	RECORD_CALLS=1 $(VENV)/bin/python -m pytest tests/contract/test_call_counts.py \
	    tests/test_providers/test_call_counts.py tests/end_to_end/test_python_calls.py

## Measures with wrk what the proxy does beyond its limits; takes two minutes.
overload: $(INSTALLED)
	$(VENV)/bin/python -m tests.benchmarks.overload

## Sends FUZZ_REQUESTS random requests, a million by default, and runs the state machines for long.
fuzz: $(INSTALLED)
	$(VENV)/bin/python -m tests.fuzz --requests $(FUZZ_REQUESTS) --seed $(FUZZ_SEED)
	$(VENV)/bin/python -m pytest --hypothesis-profile=long -m "long or not long" tests/test_faults/test_state_machines.py

## Mixed work on every provider for SOAK_SECONDS, with faults and kills: nothing is lost, nothing grows.
soak: $(INSTALLED)
	$(VENV)/bin/python -m tests.soak --seconds $(SOAK_SECONDS) --seed $(FUZZ_SEED)

## Sends random bytes to every parser, PARSER_SECONDS to each; needs Linux, and installs atheris.
fuzz-parsers: $(VENV)/.atheris
	for target in $$($(VENV)/bin/python -m tests.fuzz.parsers); do \
	  $(VENV)/bin/python -m tests.fuzz.with_atheris "$$target" -max_total_time=$(PARSER_SECONDS) \
	      -timeout=10 -max_len=4096 -verbosity=0 || exit 1; \
	done

install: $(INSTALLED)

## Installs the SDKs that the end-to-end tests use besides the newest Python SDK.
sdks: $(SDKS)
	@command -v npm >/dev/null || echo "npm was not found: no test drives the JavaScript SDK"
	@command -v go >/dev/null || echo "go was not found: no test drives the Go SDK"
	@test -n "$(filter $(JAVA)/%,$(SDKS))" || \
	    echo "mvn and a JDK of 17 or later were not found: no test drives the Java SDK"

## Installs helm, with which tests render the charts, and promtool, which checks the alert rules.
tools: $(TOOLS)
	@command -v go >/dev/null || echo "go was not found: helm is not installed, and no test renders a chart"
	@command -v promtool apt-get >/dev/null || \
	    echo "promtool and apt-get were not found: no test checks the alert rules"

## Resolves all pinned versions again. The image gets the versions that are tested.
lock: $(VENV_LOCK)/bin/uv
	$(VENV_LOCK)/bin/uv pip compile --upgrade --universal --python-version 3.11 --generate-hashes \
	    --no-strip-extras --no-header --quiet --extra dev --extra otel pyproject.toml --output-file requirements.lock
	$(VENV_LOCK)/bin/uv pip compile --upgrade --universal --python-version 3.11 --generate-hashes \
	    --no-strip-extras --no-header --quiet tests/end_to_end/requirements-sdk2.in \
	    --output-file tests/end_to_end/requirements-sdk2.lock
	$(VENV_LOCK)/bin/uv pip compile --upgrade --universal --python-version 3.11 --generate-hashes \
	    --no-strip-extras --no-header --quiet tests/benchmarks/peers/requirements.in \
	    --output-file tests/benchmarks/peers/requirements.lock
	for lock in $(FRAMEWORK_LOCKS); do \
	  $(VENV_LOCK)/bin/uv pip compile --upgrade --universal --python-version 3.11 --generate-hashes \
	      --no-strip-extras --no-header --quiet "$${lock%.lock}.in" --output-file "$$lock"; \
	done
	$(VENV_LOCK)/bin/uv pip compile --upgrade --universal --python-version 3.11 --generate-hashes \
	    --no-header --quiet tests/fuzz/requirements.in --output-file tests/fuzz/requirements.lock
	$(VENV_LOCK)/bin/uv pip compile --upgrade --universal --python-version 3.11 --generate-hashes \
	    --no-strip-extras --no-header --quiet --constraint requirements.lock --extra otel pyproject.toml \
	    --output-file deploy/requirements.lock
	echo "setuptools" | $(VENV_LOCK)/bin/uv pip compile --upgrade --universal --python-version 3.11 \
	    --generate-hashes --no-header --quiet --constraint requirements.lock - \
	    --output-file deploy/build.lock

clean:
	rm -rf $(VENV) $(VENV_SDK2) $(VENV_PEERS) $(VENV_FRAMEWORKS) $(VENV_LOCK) .tools $(JAVASCRIPT)/node_modules $(PEERS)/node_modules $(GO)/bin $(JAVA)/target
	rm -rf build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# --- how each file is made --------------------------------------------------------------------

# Uses the first interpreter that is new enough, and removes the environment if creating it fails.
$(VENV)/bin/python:
	@for python in $(PYTHON); do \
	  if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	    echo "$(VENV): made by $$("$$python" --version)"; \
	    "$$python" -m venv $(VENV) || { rm -rf $(VENV); exit 1; }; \
	    exit 0; \
	  fi; \
	done; \
	echo "No Python 3.11 or later among: $(PYTHON). Name one: make PYTHON=/path/to/python" >&2; \
	exit 1

$(INSTALLED): requirements.lock pyproject.toml setup.cfg | $(VENV)/bin/python
	$(VENV)/bin/python -m pip install --quiet --require-hashes --requirement requirements.lock
	$(VENV)/bin/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

# Not among the packages for development: it has no wheels for macOS and ARM.
$(VENV)/.atheris: tests/fuzz/requirements.lock | $(INSTALLED)
	$(VENV)/bin/python -m pip install --quiet --require-hashes --requirement $<
	@touch $@

$(VENV_PEERS)/.installed: $(PEERS)/requirements.lock | $(VENV)/bin/python
	$(VENV)/bin/python -m venv $(VENV_PEERS) || { rm -rf $(VENV_PEERS); exit 1; }
	$(VENV_PEERS)/bin/python -m pip install --quiet --require-hashes --requirement $<
	@touch $@

$(VENV_FRAMEWORKS)/%/.installed: $(FRAMEWORKS)/%.lock | $(VENV)/bin/python
	$(VENV)/bin/python -m venv $(@D) || { rm -rf $(@D); exit 1; }
	$(@D)/bin/python -m pip install --quiet --require-hashes --requirement $<
	@touch $@

$(PEERS)/node_modules/.installed: $(PEERS)/package.json $(PEERS)/package-lock.json
	npm ci --prefix $(PEERS) --ignore-scripts --silent
	@touch $@

$(VENV_SDK2)/bin/python: | $(VENV)/bin/python
	$(VENV)/bin/python -m venv $(VENV_SDK2) || { rm -rf $(VENV_SDK2); exit 1; }

$(VENV_SDK2)/.installed: tests/end_to_end/requirements-sdk2.lock | $(VENV_SDK2)/bin/python
	$(VENV_SDK2)/bin/python -m pip install --quiet --require-hashes --requirement $<
	@touch $@

$(JAVASCRIPT)/node_modules/.installed: $(JAVASCRIPT)/package.json $(JAVASCRIPT)/package-lock.json
	npm ci --prefix $(JAVASCRIPT) --ignore-scripts --silent
	@touch $@

$(GO)/bin/runner: $(wildcard $(GO)/*.go) $(GO)/go.mod $(GO)/go.sum
	cd $(GO) && go vet . && go build -o bin/runner .

# The version is in this file.
$(HELM): Makefile
	GOBIN=$(CURDIR)/.tools/bin go install $(HELM_MODULE)
	@touch $@

# Out of Debian's package, since to install it needs root and starts a service. Without a network or
# package lists the rest of the tests still runs; in CI the tests of the rules then fail.
$(PROMTOOL):
	@mkdir -p $(dir $@)
	@folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && cd "$$folder" && \
	    timeout 240 apt-get -qq -o APT::Sandbox::User=root -o Acquire::Retries=2 download prometheus && \
	    dpkg-deb --fsys-tarfile prometheus_*.deb | \
	    tar --extract --directory $(CURDIR)/.tools --strip-components=2 ./usr/bin/promtool || \
	    echo "apt-get could not download prometheus: promtool is not installed"

# One after the other: two Maven processes cannot safely share a local repository.
$(JAVA)/target/.built: $(JAVA)/pom.xml $(wildcard $(JAVA)/src/main/java/*.java)
	mvn --quiet --batch-mode --file $(JAVA)/pom.xml compile
	mvn --quiet --batch-mode --file $(JAVA)/pom.xml --activate-profiles release-1 compile
	@touch $@

$(VENV_LOCK)/bin/uv: | $(VENV)/bin/python
	$(VENV)/bin/python -m venv $(VENV_LOCK)
	$(VENV_LOCK)/bin/python -m pip install --quiet $(UV)
