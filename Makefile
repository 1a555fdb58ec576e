# SPDX-License-Identifier: Apache-2.0
# The front door: thin calls of the standard tools. `make help` lists the targets.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
HOSTS ?= 1
LAB ?= auto
export LAB
export VIRTUAL_ENV := $(CURDIR)/.venv
export PATH := $(VIRTUAL_ENV)/bin:$(PATH)
SETUP := $(VIRTUAL_ENV)/.complete
SCENARIOS := default access registry-auth migrate images
# Only root can make the devices and mounts of a machine's root file system.
ifeq ($(shell id -u),0)
SCENARIOS += bake
else
WITHOUT := , without bake, which needs root
endif

.PHONY: help
help: ## Show this help
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: setup
setup: $(SETUP) ## Python part alone: the virtual environment with everything in it

$(SETUP): pyproject.toml constraints.txt tools/setup
	@PYTHON=$(PYTHON) tools/setup
	@touch $@

.PHONY: up
up: $(SETUP) ## Lab hosts with a proven Docker engine: make up HOSTS=1 LAB=auto|online|offline
	@python -m slipway.lab create --count $(HOSTS)
	@ansible-playbook --inventory inventory/lab playbooks/site.yml
	@python -m slipway.lab status

.PHONY: down
down: ## Remove everything that `make up` made
	@if [ -e $(SETUP) ]; then python -m slipway.lab down; fi

.PHONY: test
test: export LAB := offline
test: $(SETUP) lint ## What every change is proven by, and CI runs; on the stand-in, which alone has repositories to refuse
	@python -m slipway.lab prepare
	@echo "Scenarios: $(SCENARIOS)$(WITHOUT)"
	@molecule test $(addprefix --scenario-name=,$(SCENARIOS))
	@pytest tests/unit tests/lab -m "not slow"

.PHONY: test-all
test-all: export LAB := offline
test-all: $(SETUP) lint ## All scenarios, and the tests that take minutes, too: more than an hour
	@python -m slipway.lab prepare
	@molecule test --all
	@pytest tests/unit tests/lab

.PHONY: lint
lint: $(SETUP) ## ansible-lint (production), yamllint, ruff, mypy
	@ruff check .
	@ruff format --check .
	@mypy
	@yamllint --config-file .config/yamllint --strict .
	@ansible-lint --config-file .config/ansible-lint.yml --strict

.PHONY: images
images: $(SETUP) ## The images of dockerfiles/images.yml: checked, built and tested
	@slipway-images render --check
	@slipway-images lint
	@slipway-images build
	@slipway-images test

.PHONY: bench
bench: export LAB := $(if $(filter auto,$(LAB)),offline,$(LAB))
bench: $(SETUP) ## Time site.yml against bare shell commands that do the same install
	@python -m slipway.lab.benchmark

.PHONY: clean
clean: down ## Remove the virtual environment too
	@rm -rf $(VIRTUAL_ENV)
