# Commands for a laptop. Variables are passed on as settings: make run VIDEO_PATH=0 MODEL=path/to/export

PYTHON ?= python3
VENV ?= .venv
export PYTHON VENV
# A change to one of these files makes the next command repeat the set-up.
needs = pyproject.toml constraints.txt scripts/setup.sh

.PHONY: help run watch matrix command forget camera setup onnx test fuzz test-ecosystem unit broker faults soak check format docs bench evaluate scenes model deployment lock audit sbom reset clean
.DEFAULT_GOAL := help

help: ## prints this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 16

run: $(VENV)/.run ## runs the suite without Docker, with the demo; to count people: make run VIDEO_PATH=0
	@exec $(VENV)/bin/python -m footfall run

watch: $(VENV)/.run ## shows each camera's current label and today's visits, for a running suite
	@exec $(VENV)/bin/python -m footfall watch

matrix: $(VENV)/.run ## draws the LED matrix of a running suite in the terminal
	@exec $(VENV)/bin/python -m footfall matrix

command: $(VENV)/.run ## sends a command to a camera: make command DO=pause, resume or snapshot; CAMERA=door
	@exec $(VENV)/bin/python -m footfall command

forget: $(VENV)/.run ## removes a camera from a running suite: make forget CAMERA=back
	@exec $(VENV)/bin/python -m footfall forget

camera: $(VENV)/.run ## adds a camera to a running suite: make run CAMERAS=door,back, then make camera CAMERA=back VIDEO_PATH=1
	@exec $(VENV)/bin/python -m footfall camera

setup: ## installs what make run needs, even if it was installed before
	@scripts/setup.sh run
	@touch $(VENV)/.run

onnx: ## installs what ONNX models need as well (onnxruntime, 60 MB)
	@scripts/setup.sh onnx

# The tests of a file run in one process; the files are in the order of testpaths in pyproject.toml. Tests with containers and
# tests in a browser do not run at the same time: a container changes the machine's network, and the browser then aborts its
# downloads. System tests mostly wait, so more of them than cores run at once.
pytest = $(VENV)/bin/python -m pytest --dist loadfile --no-loadscope-reorder

test: $(VENV)/.dev ## runs all tests, and measures the coverage without system tests; or: make test TESTS=tests/counter
ifdef TESTS
	@exec $(pytest) -n 3 $(TESTS)
else
	@$(pytest) -n 4 -m "containers or not system" --cov --cov-report=term:skip-covered
	@$(pytest) -n 6 -m "system and not containers and not ecosystem"
endif

fuzz: $(VENV)/.dev ## tries a million damaged inputs with each parser; or: make fuzz SECONDS=60 TARGET=message
	@exec $(VENV)/bin/python -m tests.fuzz $(if $(SECONDS),--seconds $(SECONDS)) $(TARGET)

test-ecosystem: $(VENV)/.dev ## runs the tests with other projects' programs that take minutes, such as Home Assistant and Prometheus
	@scripts/ecosystem.sh
	@exec $(pytest) -n 1 -m ecosystem --durations 0

unit: $(VENV)/.dev ## runs the tests that open no socket, in less than a minute
	@exec $(pytest) -n 3 -m "not broker and not system"

broker: $(VENV)/.dev ## runs the tests with a real Mosquitto
	@exec $(pytest) -n 3 -m broker

soak: $(VENV)/.dev ## soaks the suite in a day's worth of frames, with kills; twenty minutes; writes docs/reliability.md
	@exec $(VENV)/bin/python -m tests.soak --write

faults: $(VENV)/.dev ## causes faults in a running suite, and updates docs/reliability.md (about ten minutes): make faults NAMES=killed
	@exec $(VENV)/bin/python -m tests.faults --write $(NAMES)

check: $(VENV)/.dev ## checks format, lint, spelling and types
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/codespell
	@$(VENV)/bin/mypy

format: $(VENV)/.dev ## formats the code
	@$(VENV)/bin/ruff check -q --fix-only .
	@$(VENV)/bin/ruff format .

docs: $(VENV)/.run ## updates the generated tables, AsyncAPI document and JSON Schemas in docs/
	@exec $(VENV)/bin/python -m scripts.docs

bench: $(VENV)/.dev ## measures speed, CPU time, memory and writes beside their limits (ten minutes); make bench BASE=commit compares
	@exec $(VENV)/bin/python -m benchmarks.bars --write $(if $(BASE),--base $(BASE)) $(PARTS)

evaluate: $(VENV)/.demo $(if $(PEERS),$(VENV)-peers/.done) ## compares counts in unseen scenes with the truth, and updates demo/README.md; also with DEMO=classifier, PEERS=yes
	@$(VENV)/bin/python -m demo.evaluate$(if $(filter classifier,$(DEMO)),,_detector) --write
	@$(if $(PEERS),$(VENV)/bin/python -m benchmarks.tracking.drawn --peers $(VENV)-peers/bin/python --write)

# Other trackers need another numpy than Footfall.
$(VENV)-peers/.done: benchmarks/tracking/requirements.txt
	@$(PYTHON) -m venv $(VENV)-peers
	@$(VENV)-peers/bin/pip install -q --progress-bar off --disable-pip-version-check -r $<
	@touch $@

scenes: $(VENV)/.demo ## writes a clip and its truth: make scenes SEED=7; with one visitor at a time: DEMO=classifier
	@exec $(VENV)/bin/python -m demo.clip --demo "$${DEMO:-people}" "$${SEED:?is not set: make scenes SEED=7}"

model: $(VENV)/.model ## trains the demo's detector again (about 90 minutes); its classifier: DEMO=classifier (20 minutes)
	@exec $(VENV)/bin/python -m demo.train$(if $(filter classifier,$(DEMO)),,_detector)

deployment: ## writes the IoT Edge deployment for each platform into config/, with the values of .env
	@exec $(PYTHON) scripts/deployment.py

# The images have Debian 12's Python, 3.11.
requirements = uv pip compile -q --python-version 3.11 --python-platform linux -c constraints.txt --no-annotate --no-header --generate-hashes pyproject.toml

lock: ## updates constraints.txt and the images' requirements.txt (needs uv)
	uv pip compile -q --universal --python-version 3.10 --all-extras --no-annotate --no-header --no-emit-package pip --upgrade pyproject.toml -o constraints.txt
	$(requirements) -o bus/requirements.txt
	$(requirements) --extra capture -o capture/requirements.txt
	$(requirements) --extra classifier -o classifier/requirements.txt
	$(requirements) --extra onnx -o classifier/requirements-onnx.txt
	$(requirements) --extra counter -o counter/requirements.txt
	$(requirements) --extra bridge -o bridge/requirements.txt
	$(requirements) --extra dashboard -o dashboard/requirements.txt
	$(requirements) --extra display -o display/requirements.txt
	uv pip compile -q --universal --python-version 3.11 --no-annotate --no-header benchmarks/tracking/requirements.in -o benchmarks/tracking/requirements.txt
	uv pip compile -q --universal --python-version 3.11 --no-annotate --no-header tests/ecosystem/iotedgedev.in -o tests/ecosystem/iotedgedev.txt

audit: $(VENV)/.dev ## looks for known vulnerabilities of the pinned versions; options of pip-audit: OPTIONS="--vulnerability-service osv"
	@exec $(VENV)/bin/python -m scripts.audit $(OPTIONS)

sbom: $(VENV)/.dev ## writes an SBOM (CycloneDX) for the wheel and each image into sbom/
	@exec $(VENV)/bin/python -m scripts.sbom

reset: ## deletes the data of make run: the ledger with all visits, the broker's state; asks first
	@exec $(PYTHON) -m footfall reset

clean: ## deletes all generated files, but not the data of make run
	rm -rf $(VENV) $(VENV)-peers $(VENV)-iotedgedev $(VENV)-machine .mypy_cache .pytest_cache .ruff_cache .hypothesis .fuzz *.egg-info
	rm -rf --one-file-system .home-assistant .home-assistant.part .home-assistant.log

$(VENV)/.dev $(VENV)/.model: with = $(VENV)/.demo
$(VENV)/.%: $(needs)
	@scripts/setup.sh $*
	@touch $@ $(VENV)/.run $(with)
