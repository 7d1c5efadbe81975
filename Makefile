# Plugboard's table of contents. `make demo` shows it working, `make test`
# tests it; both need Go and nothing else.

GO      ?= go
MODULES := . server examples
EXE     := $(shell $(GO) env GOEXE)
TARGET  := $(shell $(GO) env GOOS)_$(shell $(GO) env GOARCH)
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)

# Tests of processes are heavy on a small machine; two at once is plenty.
TESTFLAGS ?= -p 2

.PHONY: help
help: ## show this list
	@sed -n 's/^\([a-z0-9-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

.PHONY: demo
demo: ## run a server with four data sources and the console at http://127.0.0.1:3030
	@$(MAKE) -s demo-console build bin/demo/foreign >&2
	@bin/plugboard$(EXE) demo --listen 127.0.0.1:3030 --plugins bin/demo

# Without npm there is no console, and all else.
.PHONY: demo-console
demo-console:
	@if command -v npm >/dev/null; then $(MAKE) -s console; else echo "no npm: the demo is without the web console"; fi

.PHONY: build
build: ## build bin/plugboard
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-s -w -X main.version=$(VERSION)' -o bin/plugboard$(EXE) ./server/cmd/plugboard

# An unmodified official-SDK plugin, for the demo and its tests.
.PHONY: bin/demo/foreign
bin/demo/foreign:
	@mkdir -p $@
	cp -r conformance/plugins/foreign/plugin.json conformance/plugins/foreign/img $@/
	cd conformance && CGO_ENABLED=0 GOWORK=off $(GO) build -trimpath -ldflags '-s -w' -o ../$@/gpx_foreign_$(TARGET)$(EXE) ./plugins/foreign

.PHONY: test
test: ## test every published module
	@set -e; for module in $(MODULES); do (cd $$module && $(GO) test $(TESTFLAGS) ./...); done

.PHONY: race
race: ## the same under the race detector
	@set -e; for module in $(MODULES); do (cd $$module && $(GO) test -race -timeout 30m $(TESTFLAGS) ./...); done

.PHONY: lint
lint: ## gofmt, go vet and staticcheck over every module
	./scripts/lint

.PHONY: generate
generate: ## write package wire from proto/, with the tools pinned in tools/go.mod
	cd tools && GOWORK=off $(GO) run ./protogen ../proto ../wire

.PHONY: verify
verify: ## fail on stale generated code, untidy modules, or one that does not build alone
	./scripts/verify

.PHONY: bench
bench: ## benchmarks, ours beside the official SDK's
	@set -e; for module in $(MODULES); do (cd $$module && $(GO) test -p 1 -run '^$$' -bench . -benchmem ./...); done
	cd conformance && GOWORK=off $(GO) test -p 1 -run '^$$' -bench . -benchmem ./...
	$(MAKE) bench-sdk bench-host bench-server

.PHONY: bench-sdk
bench-sdk: ## what calls cost host and plugin together, and what a plugin weighs
	cd conformance && GOWORK=off $(GO) run ./bench/sdk

.PHONY: bench-host
bench-host: ## our host beside a bare go-plugin client; kill -9; fifty plugins
	cd conformance && GOWORK=off $(GO) run ./bench/host

.PHONY: soak
soak: ## plugins that are killed, hung and restarted at random for ten minutes, under load
	cd conformance && GOWORK=off $(GO) run ./soak

.PHONY: bench-server
bench-server: ## our server beside a host on the official SDK, six minutes
	cd conformance && GOWORK=off $(GO) run ./bench/server

.PHONY: conformance
conformance: ## judge us by the official SDK and by captures of a running Grafana
	cd conformance && GOWORK=off $(GO) test $(TESTFLAGS) ./...

.PHONY: release
release: $(CONSOLE) ## build dist/ for six platforms; PLATFORMS='linux/amd64' for one
	rm -rf dist
	cd tools && GOWORK=off $(GO) run ./release $(if $(PLATFORMS),-platforms '$(PLATFORMS)') .. ../dist

# (Not from the test cache, which does not see the sources of what is built.)
.PHONY: release-test
release-test: ## build a release twice, and start it the ways it is installed
	cd tools && GOWORK=off $(GO) test -count=1 $(TESTFLAGS) ./release

CONSOLE := server/console/dist/index.html

.PHONY: console
console: $(CONSOLE) ## build the web console, which make build takes in; needs node

$(CONSOLE): web/node_modules web/build.mjs web/tsconfig.json $(shell find web/src -type f)
	cd web && node_modules/.bin/tsc && node build.mjs

web/node_modules: web/package-lock.json
	cd web && npm ci --no-audit --no-fund --ignore-scripts
	@touch $@

# A plugin that does what a console has to stand.
.PHONY: bin/e2e/trouble
bin/e2e/trouble:
	@mkdir -p $@
	cp web/e2e/trouble/plugin.json $@/
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-s -w' -o $@/gpx_trouble_$(TARGET)$(EXE) ./web/e2e/trouble

.PHONY: e2e
e2e: $(CONSOLE) build bin/demo/foreign bin/e2e/trouble ## drive the web console in Chromium, against real servers and plugins
	cd web && node e2e/run.mjs
