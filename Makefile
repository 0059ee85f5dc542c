# Everything that is done with this package, from a fresh machine on: `make run` and `make test` each work alone where
# there are only the Swift toolchain and make.

.DEFAULT_GOAL := help
.PHONY: help run test lint format bench fuzz chaos soak compose-test browser-test metrics-test deps clean

# What Debian and Ubuntu call the C libraries that the package links.
packages := libzmq3-dev libmsgpack-dev libsqlite3-dev
sources := Sources Tests Examples Fuzz/Sources Package.swift
seconds ?= 60

help: ## Say what there is to make
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: deps ## Run the quickstart, built for release, on an embedded mesh
	swift run -c release quickstart

test: deps ## Run all tests, and the examples with their output checked
	swift test
	Examples/check debug

lint: ## Check the format of all Swift files
	swift format lint --strict --parallel --recursive $(sources)

format: ## Bring all Swift files into that format
	swift format --in-place --parallel --recursive $(sources)

bench: deps ## Measure, beside the raw baselines of the same run
	swift run -c release mesh bench

fuzz: deps ## Feed the decoder inputs made to break it: make fuzz seconds=600
	Fuzz/run $(seconds)

chaos: deps ## Kill and freeze processes of a mesh under load, and cut their hosts off: make chaos seconds=3600 [seed=7]
	CHAOS_SECONDS=$(seconds) $(if $(seed),CHAOS_SEED=$(seed)) swift test --filter 'Processes/Chaos/'

soak: deps ## Use a mesh in every way again and again, and watch what it takes: make soak seconds=1800
	SOAK_SECONDS=$(seconds) swift test --filter 'Processes/Soak/'

compose-test: deps ## Bring up docker-compose.yml, break it, and check what a user would see
	Tests/Compose/run

browser-test: deps ## Look at the dashboard of a running mesh with a real browser, and leave pictures of its pages
	Tests/Browser/run

metrics-test: deps ## Have a real Prometheus gather the metrics of a mesh
	Tests/Prometheus/run

deps: ## Install the Debian packages that are missing
	@missing=; \
	command -v dpkg-query >/dev/null || { echo "No Debian: libzmq, libmsgpack-c and SQLite have to be there."; exit 0; }; \
	for package in $(packages); do \
		dpkg-query -W -f '$${Status}' $$package 2>/dev/null | grep -q ' installed$$' || missing="$$missing $$package"; \
	done; \
	[ -n "$$missing" ] || exit 0; \
	if [ "$$(id -u)" -eq 0 ]; then as_root=; else as_root='sudo -n'; fi; \
	echo "Installing$$missing with apt-get."; \
	$$as_root apt-get update -qq && \
	$$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $$missing || \
	{ echo "That needs root's rights. Run: sudo apt-get install$$missing"; exit 1; }

clean: ## Remove what was built
	rm -rf .build Fuzz/.build
