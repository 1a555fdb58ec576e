# SPDX-License-Identifier: Apache-2.0
# The front door: thin calls of the standard tools. `make help` lists the targets.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
HOST ?= el9
HOSTS ?= 1
LAB ?= auto
COMMANDS ?= 'make up check'
export LAB
export VIRTUAL_ENV := $(CURDIR)/.venv
export PATH := $(VIRTUAL_ENV)/bin:$(PATH):/usr/sbin:/sbin
# Every target starts many short Python programs, which load in half the time from compiled files.
export PYTHONDONTWRITEBYTECODE :=
# What the machine's environment says must not change the outcome: Ansible insists on UTF-8, and wants to write below
# a home, which may be missing; a proxy is for the internet, not for servers on the loopback; pip's options for other
# places than a virtual environment break one; and Debian's users do not have /usr/sbin in their path.
export LC_ALL := C.UTF-8
export ANSIBLE_HOME := $(CURDIR)/.ansible
export ANSIBLE_CONFIG := $(CURDIR)/ansible.cfg
comma := ,
unproxied := $(or $(no_proxy),$(NO_PROXY))
export no_proxy := $(if $(unproxied),$(unproxied)$(comma))localhost,127.0.0.1,::1
export NO_PROXY := $(no_proxy)
export PIP_USER := 0
unexport PIP_TARGET PIP_PREFIX PIP_ROOT PYTHONPATH PYTHONHOME
# Relative, since a path with blanks would be several targets.
SETUP := .venv/.complete
DOCS := .venv/.docs
# Tests take turns in this many processes, lab tests each with a lab of its own: one more than two cores, since hosts that
# boot and engines that start are waited for. A fourth wins nothing.
WORKERS ?= 3
# `make test-all` runs slow tests too; `make check` also skips tests that run whole programs.
CHOSEN ?= not slow
PYTEST := pytest --numprocesses=$(WORKERS) --durations=60 --durations-min=5
# Independent targets, all at once. Their output is not kept back until they end: it shows how far they are. The lab takes
# longest, and waits for disks and networks: recipes that need none are nice, and get the time that it leaves.
TOGETHER := $(MAKE) --no-print-directory --jobs
# What needs no lab: after `make check`, of the same call or with REMAINING=programs, only what that left.
REMAINING := $(if $(filter check,$(MAKECMDGOALS)),programs,style unit)

.PHONY: help
help: ## Show this help
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: setup
setup: $(SETUP) ## Create the virtual environment .venv with all Python packages

$(SETUP): pyproject.toml requirements.txt tools/setup tools/uv.txt
	@PYTHON=$(PYTHON) tools/setup $^

.PHONY: lock
lock: ## Update versions and hashes of the Python packages: make lock UPGRADE="molecule moto"
	@PYTHON=$(PYTHON) tools/lock $(addprefix --upgrade-package=,$(UPGRADE))

.PHONY: up
up: $(SETUP) ## Create lab hosts with a verified Docker engine: make up HOSTS=1 HOST=el9|el10|fedora43 LAB=auto|online|offline
	@python -m slipway.lab create --count $(HOSTS) --system $(HOST)
	@ansible-playbook --inventory inventory/lab playbooks/site.yml
	@ANSIBLE_STDOUT_CALLBACK=slipway.platform.progress ansible-playbook --inventory inventory/lab playbooks/report.yml \
		--extra-vars '{"slipway_report_path": "$(CURDIR)/.lab/report"}'
	@python -m slipway.lab status
	@echo 'The page of these hosts: $(CURDIR)/.lab/report/index.html'

.PHONY: down
down: ## Remove everything that `make up` made
	@if [ -e $(SETUP) ]; then python -m slipway.lab down; fi

.PHONY: check
ifdef PATHS
check: $(SETUP)
	@pytest $(PATHS)
else
check: export CHOSEN := not slow and not program
check: $(SETUP) ## Run linters and most unit tests, converge and verify one host (5 minutes); with PATHS, run those tests only
	@$(TOGETHER) verified style unit
endif

.PHONY: verified
verified: up
	@pytest --ansible-inventory=inventory/lab/hosts.yml --hosts=ansible://docker_hosts tests/verify

.PHONY: test
test: export LAB := offline
test: $(SETUP) ## Run what CI runs: linters, unit tests, scenarios and lab tests, on stand-ins, which have repositories to refuse
	@$(TOGETHER) lab $(REMAINING)
	@$(TOGETHER) essential-sanity lab-tests

.PHONY: test-all
test-all: export LAB := offline
test-all: export CHOSEN :=
test-all: $(SETUP) ## The same with all scenarios and the tests that take minutes
	@$(TOGETHER) lab style unit
	@$(TOGETHER) essential-sanity lab-tests

.PHONY: unit
unit: $(SETUP)
	@nice $(PYTEST) tests/unit -m "$(CHOSEN)"

.PHONY: programs
programs: $(SETUP)
	@nice $(PYTEST) tests/unit -m "program and not slow"

.PHONY: lab
lab: $(SETUP)
	@python -m slipway.lab prepare

.PHONY: lab-tests
lab-tests: $(SETUP)
	@$(PYTEST) tests/lab -m "$(CHOSEN)"

.PHONY: style
style: $(SETUP)
	@nice ruff check .
	@nice ruff format --check .
	@nice mypy
	@nice yamllint --config-file .config/yamllint --strict .
	@nice ansible-lint --config-file .config/ansible-lint.yml --strict

# Two thirds of the CPU time of ansible-test sanity, for little that ruff and yamllint do not find.
COSTLY := pep8 pylint yamllint
.PHONY: lint
lint: style essential-sanity ## Run ansible-lint (production), ansible-test sanity, yamllint, ruff and mypy

.PHONY: essential-sanity
essential-sanity: $(SETUP)
	@nice tools/sanity $(addprefix --skip-test=,$(COSTLY))

.PHONY: sanity
sanity: $(SETUP) ## Run ansible-test sanity without its pylint, which rejects the name `_`; ruff stands in for it
	@tools/sanity --skip-test=pylint

.PHONY: images
images: $(SETUP) ## Check, build and test the images of dockerfiles/images.yml
	@slipway-images render --check
	@slipway-images lint
	@slipway-images build
	@slipway-images test

$(DOCS): $(SETUP)
	@echo "[docs] Installing antsibull-docs, Sphinx and their packages into .venv"
	@pip install --quiet --disable-pip-version-check --require-hashes --requirement docs/requirements.txt
	@touch $@

.PHONY: docs-reference
docs-reference: $(DOCS) ## Generate the committed pages of docs
	@python -m slipway.docs pages

.PHONY: docs
docs: docs-reference ## Build the documentation site in docs/_build/html
	@python -m slipway.docs site

.PHONY: docs-screenshots
docs-screenshots: $(SETUP) ## Make the pictures of docs/guides/report.md again, with a Chromium of this machine
	@PYTHONPATH=.:.venv/collections python -m tests.support.screenshots

.PHONY: fresh
fresh: export LAB := offline
fresh: $(SETUP) ## Run make up and make check on fresh Debian machines, as root and as a user: MACHINE=bookworm for one of them
	@python -m slipway.lab.fresh $(addprefix --machine=,$(MACHINE)) $(COMMANDS)

.PHONY: bench
bench: export LAB := $(if $(filter auto,$(LAB)),offline,$(LAB))
bench: $(SETUP) ## Measure site.yml against bare shell commands and a plain role: PEER=path/to/role for another one
	@python -m slipway.lab.benchmark --fleet $(addprefix --peer=,$(PEER))

.PHONY: clean
clean: down ## Run down, and remove the virtual environment
	@rm -rf .venv
