# Each target does its own set-up in .venv; a second call takes seconds.
PORT ?= 8501
ADDRESS ?= 127.0.0.1
DATA ?= ./data
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

.PHONY: run test check format bench doctor clean

run: $(READY)
	MASKSMITH_DATA="$(DATA)" $(BIN)/streamlit run app.py --server.address=$(ADDRESS) --server.port=$(PORT)

test: $(READY)
	$(BIN)/pytest --numprocesses=2 --dist=loadfile

check: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/pytest tests/test_architecture.py

format: $(READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(READY)
	$(BIN)/python -m benchmarks.decode --json
	$(BIN)/python -m benchmarks.open_image --json
	$(BIN)/python -m benchmarks.click_latency --json

doctor: $(READY)
	MASKSMITH_DATA="$(DATA)" $(BIN)/masksmith doctor

clean:
	rm -rf .venv

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, this is " + sys.version) if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade pip
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $(READY)
