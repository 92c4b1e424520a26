# Markwise. `make` lists the targets; README.md says what to run first.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
VLLM_VENV := .venv-vllm
PORT ?= 8000
# Torch's and OpenCV's thread pools fight each other on small machines.
export OMP_NUM_THREADS ?= 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export HF_HUB_OFFLINE := 1

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

$(VENV)/.ready: pyproject.toml docker/setup.py
	@$(PYTHON) docker/setup.py $(VENV)
	@touch $@

$(VENV)/.test-ready: $(VENV)/.ready
	@$(PYTHON) docker/setup.py $(VENV) --test
	@touch $@

.PHONY: setup
setup: $(VENV)/.ready ## build .venv with pinned packages and test its imports

.PHONY: demo
demo: $(VENV)/.ready ## mark a screenshot, ask two questions, write ./demo-out
	@$(BIN)/python -m app.commands.demo

.PHONY: serve
serve: $(VENV)/.ready ## run the service and print the URL of its page (PORT=8000)
	@$(BIN)/markwise serve --port $(PORT)

.PHONY: test
test: $(VENV)/.test-ready ## install what tests need and pass all of them, on real Postgres and Redis
	@$(BIN)/python -m pytest

$(VLLM_VENV)/.ready: pyproject.toml docker/setup.py docker/vllm_setup.py docker/torchvision_ops.py
	@$(PYTHON) docker/vllm_setup.py $(VLLM_VENV)
	@touch $@

.PHONY: test-vllm
test-vllm: $(VENV)/.test-ready $(VLLM_VENV)/.ready ## build a venv with vLLM's CPU build and test against it (2.5 GB, 5 min)
	@MARKWISE_TEST_VLLM_PYTHON=$(abspath $(VLLM_VENV))/bin/python \
	  $(BIN)/python -m pytest tests/acceptance/test_vllm.py tests/acceptance/test_vllm_adapters.py tests/acceptance/test_vllm_names.py tests/unit/models/vlm/test_backends.py -k vllm -rP

.PHONY: check
check: $(VENV)/.test-ready ## lint, types, import contracts
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

.PHONY: format
format: $(VENV)/.test-ready ## rewrite the code in the house format
	@$(BIN)/ruff check --fix -q . || true
	@$(BIN)/ruff format .

.PHONY: web
web: ## build the web app from app/web/src into app/web/dist, which is committed (needs Node 20 or newer)
	@cd app/web && npm ci --no-update-notifier && npm run build

.PHONY: bench
bench: $(VENV)/.test-ready ## print the measurements and write them to tests/bench/results
	@$(BIN)/pip install --quiet -e '.[bench]'
	@$(BIN)/python -m tests.bench.gui
	@$(BIN)/python -m tests.bench.agent
	@$(BIN)/python -m tests.bench.imports
	@$(BIN)/python -m tests.bench.marks
	@$(BIN)/python -m tests.bench.mixtures
	@$(BIN)/python -m tests.bench.regions
	@$(BIN)/python -m tests.bench.sam
	@$(BIN)/python -m tests.bench.semantic_sam
	@$(BIN)/python -m tests.bench.tasks
	@$(BIN)/python -m tests.bench.calibration
	@$(BIN)/python -m tests.bench.hostile
	@$(BIN)/python -m tests.bench.latency
	@$(BIN)/python -m tests.bench.overhead $(if $(wildcard $(VLLM_VENV)/.ready),--vllm)
	@$(BIN)/python -m tests.bench.page
	@$(BIN)/python -m tests.bench.factory
	@$(BIN)/python -m tests.bench.training

.PHONY: documents
documents: $(VENV)/.test-ready ## write the API reference and the pictures of the documents anew
	@$(BIN)/python -m tests.documents.reference
	@$(BIN)/python -m tests.documents.pictures

.PHONY: chaos
chaos: $(VENV)/.test-ready ## kill, cut, fill and flood the service, and print what it survived (about 25 min)
	@$(BIN)/python -m tests.chaos

.PHONY: bench-gpu
bench-gpu: $(VENV)/.test-ready ## on a CUDA device: SAM ViT-H against the published generator, Semantic-SAM, the trainer at 7B
	@$(BIN)/python -m tests.bench.sam_gpu
	@$(BIN)/python -m tests.bench.semantic_sam --device cuda
	@$(BIN)/python -m tests.bench.training --shape 7b --steps 24 --peak-tflops 989
	@$(BIN)/python -m tests.bench.training --shape 7b-full --steps 24 --peak-tflops 989

.PHONY: train-tiny
train-tiny: $(VENV)/.ready ## train som-llava-tiny, or go on with it (hours on a CPU; DEVICE=cuda), see models/weights/som-llava-tiny/RECIPE.md
	@$(BIN)/markwise train run --recipe tiny-v2 --out .markwise/tiny --seed 0 --resume \
		$(if $(filter cuda,$(DEVICE)),--batch-size 96 --minutes 20 --clock wall --processes 16)

.PHONY: train-detector
train-detector: $(VENV)/.test-ready ## draw pages and train the element detector (hours on a CPU), see models/weights/gui-detector/RECIPE.md
	@$(BIN)/python -m models.pages.render --first 1000000 --count 100 --out .markwise/pages/held
	@$(BIN)/python -m models.pages.render --count 6000 --out .markwise/pages/train
	@$(BIN)/python -m models.detector.train --pages .markwise/pages/train --held .markwise/pages/held --out .markwise/detector --minutes 240
	@$(BIN)/python -m models.detector.export --run .markwise/detector --held .markwise/pages/held --out .markwise/detector/detector.onnx
	@$(BIN)/python -m models.detector.evaluate --held .markwise/pages/held --weights .markwise/detector/detector.onnx
