# make run    the demo shop, help centre and desk on this machine
# make test   everything that must hold; installs what it needs first; JOBS processes share the files of tests
# make check  style, types and the order of the packages
# make fuzz   hostile requests by chance to a real server, for SECONDS
# make bench  the tables of docs/results.md, each against its peer
# make eval   the quality of answers beside the usual ways, in eval/out/report.html: the demo's judged questions and,
#             where DATA is a folder of public sets, those; SPLIT=test for the figures to publish
# make screenshots  the pictures of the README
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
DEMO   := indexes/lalezar
PORT   ?= 8000
DATABASE ?= sqlite:///demo.db
DATA   ?= $(wildcard ../shared/data)
SPLIT  ?= dev
JOBS   ?= 2
SECONDS ?= 60

.PHONY: run test check fuzz bench eval screenshots index clean

run: $(VENV)/installed
	$(BIN)/botkit demo --index $(DEMO) --database $(DATABASE) --port $(PORT)

index: $(VENV)/installed
	$(BIN)/botkit index corpora/lalezar --out $(DEMO) --if-changed

test: $(VENV)/installed-dev check
	./tests/setup
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile

check: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

fuzz: $(VENV)/installed-dev index
	$(BIN)/python eval/fuzz.py --index $(DEMO) --seconds $(SECONDS)

bench: $(VENV)/installed-dev index
	$(BIN)/python eval/bench.py --index $(DEMO)
	$(BIN)/botkit eval eval/golden --index $(DEMO) --split test

eval: $(VENV)/installed-bench index
	$(BIN)/python eval/public.py --index $(DEMO) $(DATA:%=--data %) --split $(SPLIT) \
		--work eval/out/work --html eval/out/report.html --json eval/out/report.json

screenshots: $(VENV)/installed-dev index
	$(BIN)/python eval/screenshots.py --index $(DEMO)

clean:
	rm -rf $(VENV) indexes/* demo.db demo.db-*

# PIP_CONSTRAINT also holds inside pip's build environments.
$(VENV)/installed: pyproject.toml constraints.txt
	@echo "installing botkit and what it needs into $(VENV): one to five minutes the first time, most of them for torch"
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	touch $@

$(VENV)/installed-dev: $(VENV)/installed
	@echo "installing what tests and checks need: about a minute the first time"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@

$(VENV)/installed-bench: $(VENV)/installed-dev
	@echo "installing the systems to compare with: about a minute the first time"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev,bench]'
	touch $@
