# What one does with Footfall on a laptop. Settings are passed on: make run VIDEO_PATH=0 MODEL=path/to/export

PYTHON ?= python3
VENV ?= .venv
export PYTHON VENV
# What pip reads is what it installs from: a change there makes a new set-up due.
needs = pyproject.toml constraints.txt scripts/setup.sh

.PHONY: help run watch tell camera setup test check format bench evaluate scenes model deployment lock reset clean
.DEFAULT_GOAL := help

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile | expand -t 12

run: $(VENV)/.run ## the whole suite without Docker, with the demo; or: make run VIDEO_PATH=0 MODEL=path
	@exec $(VENV)/bin/python -m scripts.run

watch: ## follow the labels of a running suite
	@exec mosquitto_sub -h "$${MQTT_HOST:-127.0.0.1}" -p "$${MQTT_PORT:-1883}" -v -t 'footfall/+/label'

# The folder of the broker that make run has started.
of_run = broker="$${STATE_DIR:-.state}/current-$${MQTT_PORT:-1883}"; test -f "$$broker/run/operator/mosquitto_pub" || \
	{ echo "make run has not started a broker that keeps its state in $$broker: MQTT_PORT and STATE_DIR say which" >&2; exit 2; }

tell: ## commands a camera of a running suite: make tell DO=pause, resume or snapshot; CAMERA=door
	@$(of_run); XDG_CONFIG_HOME="$$broker/run/operator" exec mosquitto_pub -q 1 \
	  -t "footfall/$${CAMERA:-door}/command" -m "{\"do\": \"$${DO:?is not set: make tell DO=pause}\"}"

camera: $(VENV)/.run ## one more for a running suite: make run CAMERAS=door,back, then make camera CAMERA=back VIDEO_PATH=1
	@: "$${CAMERA:?is not set: make camera CAMERA=back VIDEO_PATH=1}"; $(of_run); MQTT_PASSWORD_FILE="$$broker/secrets/capture/password" MQTT_PORT=$$(sed -n 's/^-p //p' "$$broker/run/operator/mosquitto_pub") \
	exec $(VENV)/bin/python -m capture

setup: ## what make run needs, also where it has been installed once
	@scripts/setup.sh run
	@touch $(VENV)/.run

test: $(VENV)/.dev ## all tests
	@exec $(VENV)/bin/python -m pytest -n 3 --dist loadfile $(TESTS)

check: $(VENV)/.dev ## format, lint and types
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/mypy

format: $(VENV)/.dev ## puts the code in form
	@$(VENV)/bin/ruff check -q --fix .
	@$(VENV)/bin/ruff format .

bench: $(VENV)/.dev ## the figures in the README: make bench MODEL=path PICTURES=folder
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
	$(requirements) --extra display --extra sensehat -o display/requirements.txt
	$(requirements) --extra bridge -o bridge/requirements.txt

reset: ## removes what make run has kept: the ledger with all visits, the broker's state; asks first
	@exec $(PYTHON) -m scripts.reset

clean: ## removes what was made here, but not what make run has kept
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis *.egg-info

$(VENV)/.dev $(VENV)/.model: with = $(VENV)/.demo
$(VENV)/.%: $(needs)
	@scripts/setup.sh $*
	@touch $@ $(VENV)/.run $(with)
