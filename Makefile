# Every target is one line in `make help`. Nothing here needs a container, a schema registry or a tool that Go does
# not fetch by itself: generators are tools of go.mod, the heavy ones (buf, golangci-lint, benchstat) of tools/go.mod.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules --no-print-directory

BUF := go tool -modfile=tools/go.mod buf
GOLANGCI := go tool -modfile=tools/go.mod golangci-lint
BENCHSTAT := go tool -modfile=tools/go.mod benchstat
NFPM := go tool -modfile=tools/go.mod nfpm

# Directories that hold generated code and nothing else; `generate` replaces them, `check-generate` compares them.
GENERATED := proto/gen sdk/go/pluginv1 sdk/rust/src/proto
PLUGINS := $(patsubst examples/plugins/%/manifest.yaml,build/plugins/%.wasm,$(wildcard examples/plugins/*/manifest.yaml))

# Where cargo builds, for make and for tests that run it.
export CARGO_TARGET_DIR := $(CURDIR)/build/rust

# The day on which `run` begins, so that README's commands answer alike in every season.
TODAY ?= 2026-03-16

# Time for each fuzz target, rounds of each benchmark, rounds of the soak, and how long it kills the server.
FUZZTIME ?= 20s
BENCHCOUNT ?= 6
SOAKCOUNT ?= 5
CRASHFOR ?= 10m

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "%-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: run
run: plugins build ## serve the matters of the examples in development mode, with the embedded issuer (TODAY= for the real date)
	bin/onething serve --dev --today "$(TODAY)"

.PHONY: demo
demo: plugins build ## file and decide one application for each matter in a temporary folder
	bin/onething demo

.PHONY: build
build: ## the command, as bin/onething
	go build -o bin/onething ./cmd/onething

# CGO_ENABLED=0, so that the package needs no library and runs on every Debian. DEB_BINARY is another binary than that of
# this tree.
DEB_VERSION ?= 0.0.0~dev
export DEB_VERSION
export DEB_ARCH ?= $(shell go env GOARCH)
export DEB_BINARY ?= build/deb/onething

build/deb/onething: force
	CGO_ENABLED=0 go build -trimpath -o $@ ./cmd/onething

.PHONY: deb
deb: plugins $(DEB_BINARY) ## a Debian package, as build/deb/onething_VERSION_ARCH.deb (DEB_VERSION=)
	@mkdir -p build/deb
	$(NFPM) package --config packaging/nfpm.yaml --packager deb --target build/deb/

.PHONY: plugins
plugins: $(PLUGINS) build/conformance/go.wasm ## the departments' example plugins, as build/plugins/<name>.wasm

# The examples are signed with a key of this checkout, which is made once, never committed, and trusted in development only;
# whoever wants to run them in production signs them with a key of their own.
PLUGINKEY := build/plugin-signing.pem

$(PLUGINKEY): | build
	@mkdir -p $(@D) build/plugins
	bin/onething plugin sign --generate --key $@ > build/plugins/development.pub

# The compilers' own caches know better than make which sources a guest has, so the recipe always runs (under a second when
# nothing changed).
build/plugins/%.wasm: force | build rust $(PLUGINKEY)
	@mkdir -p $(@D)
	@if [ -e examples/plugins/$*/Cargo.toml ] && ! sdk/rust/toolchain.sh --there; then exit 0; fi; \
	  set -x; bin/onething plugin build examples/plugins/$* --output $@; \
	  bin/onething plugin sign --key $(PLUGINKEY) $@ > /dev/null

build/conformance/%.wasm: force | build
	@mkdir -p $(@D)
	bin/onething plugin build sdk/$*/conformance --output $@

.PHONY: rust
rust: ## install what a plugin in Rust needs, from Debian, if it is not there
	@sdk/rust/toolchain.sh

.PHONY: force
force:

# The race detector is not part of `test`: it needs cgo, and building everything a second time with it costs two of
# the ten minutes on two cores. `race` and `soak` run it.
.PHONY: test
test: lint check-generate plugins ## what CI runs: lint, generated code up to date, guests, all tests (under 10 minutes)
	go test -timeout 1200s ./...
	@sdk/rust/toolchain.sh --test

.PHONY: race
race: plugins ## all tests under the race detector (needs cgo)
	CGO_ENABLED=1 go test -race -timeout 900s ./...

.PHONY: soak
soak: plugins ## the server killed for CRASHFOR (10m), its disk taken away 200 times, the tests many times over under the race detector, properties with 10,000 cases
	ONETHING_CRASH_FOR=$(CRASHFOR) go test -count=1 -timeout 3600s -run TestServe_Killed -v ./cmd/onething
	ONETHING_DISK_ROUNDS=100 go test -count=1 -timeout 3600s -run TestLog_PowerCut -v ./engine/commitlog/badgerlog
	CGO_ENABLED=1 go test -race -count=$(SOAKCOUNT) -timeout 3600s ./...
	go list -f '{{.ImportPath}} {{.TestImports}} {{.XTestImports}}' ./... | awk '/pgregory.net\/rapid/{print $$1}' | \
	  xargs -r -I{} go test -count=1 -timeout 3600s {} -rapid.checks=10000

.PHONY: mutants
mutants: plugins ## take each mechanism of docs/guarantees.yaml away in turn, and expect its test to turn red
	go run ./internal/mutants

.PHONY: fuzz
fuzz: ## every fuzz target for FUZZTIME (20s)
	@grep -rlE '^func Fuzz' --include='*_test.go' . | while read -r file; do \
	  grep -oE '^func Fuzz[A-Za-z0-9_]*' "$$file" | cut -c6- | while read -r target; do \
	    echo "$$(dirname "$$file") $$target"; \
	    go test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) "$$(dirname "$$file")" || exit 1; \
	  done || exit 1; \
	done

.PHONY: bench
bench: plugins ## every benchmark BENCHCOUNT (6) times, summed up by benchstat; raw figures in build/bench.txt
	@mkdir -p build
	go test -run '^$$' -bench . -benchmem -count $(BENCHCOUNT) -timeout 3600s ./... > build/bench.txt || { cat build/bench.txt; exit 1; }
	go -C internal/sandboxbench test -run '^$$' -bench . -count $(BENCHCOUNT) ./... >> build/bench.txt || { cat build/bench.txt; exit 1; }
	$(BENCHSTAT) build/bench.txt

# Generated anew into an empty folder, so that code of a deleted schema file is found too.
.PHONY: build/_generated
build/_generated:
	@rm -rf $@
	$(BUF) generate --template buf.gen.yaml --output $@
	$(BUF) generate --template buf.gen.sdk.yaml --output $@

# The hostile modules of the plugins' tests, assembled from their texts. It needs node, which nothing else does: without
# it the committed ones stay, and a test finds those whose text has changed.
HOSTILE := plugins/testdata/hostile

.PHONY: build/_hostile
build/_hostile:
	@rm -rf $@ && mkdir -p $@
	@if command -v node >/dev/null && command -v npm >/dev/null; then \
	  (cd tools/wat && npm ci --silent --no-audit --no-fund) && node tools/wat/wat.mjs $(HOSTILE) $@; \
	else echo "node is not installed: $(HOSTILE) stays as it is" >&2; cp $(HOSTILE)/*.wasm $(HOSTILE)/wat.sum $@; fi

.PHONY: generate
generate: build/_generated build/_hostile ## generate code from the schema, and the hostile modules of tests
	@for dir in $(GENERATED); do rm -rf "$$dir"; mkdir -p "$$(dirname "$$dir")"; mv "build/_generated/$$dir" "$$dir"; done
	@rm -f $(HOSTILE)/*.wasm && cp build/_hostile/* $(HOSTILE)/

.PHONY: check-generate
check-generate: build/_generated build/_hostile ## fail if generated code is stale
	@for dir in $(GENERATED); do \
	  diff -r --brief "build/_generated/$$dir" "$$dir" || { echo "$$dir is stale: run make generate" >&2; exit 1; }; \
	done
	@diff -r --brief --exclude='*.wat' build/_hostile $(HOSTILE) || { echo "$(HOSTILE) is stale: run make generate" >&2; exit 1; }

.PHONY: lint
lint: ## schema, formatting, import rules, linters
	$(BUF) lint
	$(GOLANGCI) run ./...
	go -C internal/sandboxbench vet ./...
	@unformatted=$$(gofmt -l internal/sandboxbench); [ -z "$$unformatted" ] || { echo "not formatted: $$unformatted" >&2; exit 1; }

.PHONY: fmt
fmt: ## format Go
	$(GOLANGCI) fmt
