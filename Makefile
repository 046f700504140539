# What is done with Footfall on a laptop. Settings are passed on: make run VIDEO_PATH=0 MODEL=path/to/export

PYTHON ?= python3
VENV ?= .venv
export PYTHON VENV
# What pip reads is what it installs from: a change there makes a new set-up due.
needs = pyproject.toml constraints.txt scripts/setup.sh

.PHONY: help run watch matrix command forget camera setup test unit broker check format docs bench evaluate scenes model deployment lock reset clean
.DEFAULT_GOAL := help

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile | expand -t 12

run: $(VENV)/.run ## the whole suite without Docker, with the demo; or: make run VIDEO_PATH=0 MODEL=path
	@exec $(VENV)/bin/python -m footfall run

watch: $(VENV)/.run ## who is there now, at each camera of a running suite, and today's visits
	@exec $(VENV)/bin/python -m footfall watch

matrix: $(VENV)/.run ## draws the LED matrix of a running suite, in place in a terminal
	@exec $(VENV)/bin/python -m footfall matrix

command: $(VENV)/.run ## commands a camera of a running suite: make command DO=pause, resume or snapshot; CAMERA=door
	@exec $(VENV)/bin/python -m footfall command

forget: $(VENV)/.run ## has a running suite forget a camera that is gone for good: make forget CAMERA=back
	@exec $(VENV)/bin/python -m footfall forget

camera: $(VENV)/.run ## one more for a running suite: make run CAMERAS=door,back, then make camera CAMERA=back VIDEO_PATH=1
	@exec $(VENV)/bin/python -m footfall camera

setup: ## what make run needs, also where it has been installed once
	@scripts/setup.sh run
	@touch $(VENV)/.run

# A file's tests run in one process, in the order of testpaths in pyproject.toml. Containers come and go beside the tests without a browser, which
# lets go of what it loads when the machine's network changes; a system test mostly waits, so that more of them than cores run at once.
pytest = $(VENV)/bin/python -m pytest --dist loadfile --no-loadscope-reorder

test: $(VENV)/.dev ## all tests, and the coverage of those that start no programs; or: make test TESTS=tests/counter
ifdef TESTS
	@exec $(pytest) -n 3 $(TESTS)
else
	@$(pytest) -n 4 -m "containers or not system" --cov --cov-report=term:skip-covered
	@$(pytest) -n 6 -m "system and not containers"
endif

unit: $(VENV)/.dev ## the tests that open no socket, in less than a minute
	@exec $(pytest) -n 3 -m "not broker and not system"

broker: $(VENV)/.dev ## the tests with a Mosquitto
	@exec $(pytest) -n 3 -m broker

check: $(VENV)/.dev ## format, lint and types
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/mypy

format: $(VENV)/.dev ## puts the code in form
	@$(VENV)/bin/ruff check -q --fix .
	@$(VENV)/bin/ruff format .

docs: $(VENV)/.run ## writes the generated tables of docs/
	@exec $(VENV)/bin/python -m scripts.docs

bench: $(VENV)/.dev ## the figures in docs/figures.md: make bench MODEL=path PICTURES=folder
	@exec $(VENV)/bin/python -m benchmarks

evaluate: $(VENV)/.demo ## counts in unseen scenes against the truth, into demo/README.md
	@exec $(VENV)/bin/python -m demo.evaluate --write

scenes: $(VENV)/.demo ## another clip and its truth: make scenes SEED=7
	@exec $(VENV)/bin/python -m demo.clip "$${SEED:?is not set: make scenes SEED=7}"

model: $(VENV)/.model ## trains the demo's model anew (about 20 minutes)
	@exec $(VENV)/bin/python -m demo.train

deployment: ## the IoT Edge deployment for each platform, into config/, with the values of .env
	@exec $(PYTHON) scripts/deployment.py

# What the images hold: Debian 12's Python.
requirements = uv pip compile -q --python-version 3.11 --python-platform linux -c constraints.txt --no-annotate --no-header pyproject.toml

lock: ## writes constraints.txt and the images' requirements.txt anew (needs uv)
	uv pip compile -q --universal --python-version 3.10 --all-extras --no-annotate --no-header --upgrade pyproject.toml -o constraints.txt
	$(requirements) -o bus/requirements.txt
	$(requirements) --extra capture -o capture/requirements.txt
	$(requirements) --extra classifier -o classifier/requirements.txt
	$(requirements) --extra counter -o counter/requirements.txt
	$(requirements) --extra bridge -o bridge/requirements.txt
	$(requirements) --extra dashboard -o dashboard/requirements.txt
	$(requirements) --extra display -o display/requirements.txt

reset: ## removes what make run has kept: the ledger with all visits, the broker's state; asks first
	@exec $(PYTHON) -m footfall reset

clean: ## removes what was made here, but not what make run has kept
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis *.egg-info

$(VENV)/.dev $(VENV)/.model: with = $(VENV)/.demo
$(VENV)/.%: $(needs)
	@scripts/setup.sh $*
	@touch $@ $(VENV)/.run $(with)
