# `make demo` and `make test` are all that a fresh machine needs; the rest is for those who change things.

.DEFAULT_GOAL := help
.PHONY: help demo test soak build release bench bench-wan bench-rules check format docs tsan asan clean

# One debug build serves `build`, `check` and `test`. The import check refuses what Package.swift doesn't name.
DEBUG := swift build --build-tests --explicit-target-dependency-import-check error
BINARY := .build/debug/ecr-replicate

# The Swift runtime goes into the program where the toolchain has it as archives: it starts 5 ms sooner.
TOOLCHAIN := $(dir $(realpath $(shell command -v swift)))..
STATIC := $(if $(wildcard $(TOOLCHAIN)/lib/swift_static),--static-swift-stdlib)
RELEASE := swift build -c release $(STATIC) --product ecr-replicate

# Sanitizers watch our own code; real servers and clients beside it only cost time, and tests of growth and pace would
# measure the sanitizer, or the tests beside them. XCTest, which has no test here, leaks a little when it finds that out.
# Suites that scripts/run-tests runs alone have the machine to themselves here too.
SANITIZED := --disable-xctest --experimental-maximum-parallelization-width 4
SANITIZED_ALONE := FaultMatrixTests SharingTests ScenarioPartTests LongRunTests
empty :=
ALONE_PATTERN := $(subst $(empty) $(empty),|,$(SANITIZED_ALONE))
SANITIZED_MOST := --skip "InteropTests|SoakTests|ScenarioPacingTests|ServiceTests|$(ALONE_PATTERN)"

help: ## print this list
	@sed -nE 's/^([a-z-]+):.*## (.*)/\1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "  make %-11s  %s\n", $$1, $$2 }'

demo: ## install what is missing, build, and see an image retagged, copied and promoted on a local ECR
	@scripts/setup
	$(RELEASE)
	.build/release/ecr-replicate demo

test: ## install what is missing, build, and run every test and every documented command
	@scripts/setup --tests
	$(DEBUG)
	scripts/run-tests
	scripts/check-docs
	scripts/run-docs $(BINARY)

# SOAK_MINUTES is how long each of its three long tests may take, 5 unless said otherwise.
soak: release ## look for what only shows after a while: random faults, kills, leaks, 10 GiB, in about half an hour
	@scripts/setup --tests
	$(DEBUG)
	scripts/soak

build: ## build program and tests, for debugging
	@scripts/setup
	$(DEBUG)

release: ## build the program as it is shipped, in .build/release
	@scripts/setup
	$(RELEASE)

# BENCH='--write docs/benchmarks.md' puts the figures into the page, ROUNDS sets how often each is measured.
bench: release ## measure it against skopeo and others between two registries on this machine, in some 5 minutes
	@scripts/setup --bench
	scripts/bench/loopback $(BENCH)

bench-wan: release ## the same across 150 ms and 400 Mbit/s, as root, in some 4 minutes
	@scripts/setup --bench
	scripts/bench/wan $(BENCH)

bench-rules: release ## plan and sync of whole registries, beside skopeo sync, in some 15 minutes
	@scripts/setup --bench
	scripts/bench/rules $(BENCH)

check: ## format, warnings, layers, unsafe code, folders, citations, words, links, generated files
	@scripts/setup --checks
	swift format lint --strict -r Package.swift Sources Tests
	scripts/check-layers
	scripts/check-unsafe
	scripts/check-folders
	scripts/check-citations
	scripts/check-words
	scripts/check-links
	$(DEBUG)
	scripts/check-generated $(BINARY)

format: ## put the code into the project's format
	swift format -i -r Package.swift Sources Tests

docs: ## write docs/cli.md, the man page and the completions anew from the program
	@scripts/setup --checks
	$(DEBUG)
	scripts/generate-docs $(BINARY)

tsan: export TSAN_OPTIONS := exitcode=66 halt_on_error=0 suppressions=$(CURDIR)/scripts/tsan.suppressions $(TSAN_OPTIONS)
tsan: ## run the tests with ThreadSanitizer, in .build-tsan
	@scripts/setup
	swift test --sanitize thread --scratch-path .build-tsan $(SANITIZED) $(SANITIZED_MOST)
	set -e; for suite in $(SANITIZED_ALONE); do \
	    swift test --sanitize thread --scratch-path .build-tsan $(SANITIZED) --skip-build --filter $$suite; \
	done

# Leaks are not looked for: what LeakSanitizer finds is Foundation's and the test runner's own.
asan: export ASAN_OPTIONS := exitcode=66 detect_leaks=0 $(ASAN_OPTIONS)
asan: ## run the tests with AddressSanitizer, in .build-asan
	@scripts/setup
	swift test --sanitize address --scratch-path .build-asan $(SANITIZED) $(SANITIZED_MOST)
	set -e; for suite in $(SANITIZED_ALONE); do \
	    swift test --sanitize address --scratch-path .build-asan $(SANITIZED) --skip-build --filter $$suite; \
	done

clean: ## remove everything that was built or downloaded
	rm -rf .build .build-tsan .build-asan .build-venv .build-bench
