# What people and CI run. Everything else is Go: see cmd/cicd.

SHELL := /bin/bash
MAKEFLAGS += --no-print-directory
.NOTPARALLEL:
.DELETE_ON_ERROR:

# Whatever compiles, compiles with the same settings, so that nothing is compiled twice, except for the race detector, which
# needs cgo. The SDK for AWS is a quarter of all code, runs for milliseconds, and compiles in two thirds of the time without
# inlining.
export CGO_ENABLED := 0
export GOFLAGS += -gcflags=github.com/pulumi/pulumi-aws/sdk/v6/go/aws/...=-l

.PHONY: help
help:
	@echo 'make rehearse   run the stack and its pipeline on this machine; ARGS="--serve" adds flags'
	@echo 'make test       every check and test'
	@echo 'make test-fast  the tests that need no Docker'
	@echo 'make examples   rehearse four applications of other languages, see examples/README.md'
	@echo 'make bench      measure performance, and write docs/performance.md'
	@echo 'make docs       make the pictures in docs/; the dashboard'\''s need Chromium'
	@echo 'make outdated   list the dependencies that have a newer version'
	@echo 'make clean      remove what was built here'

.PHONY: rehearse
rehearse: bin/cicd
	@bin/cicd rehearse $(ARGS)

.PHONY: bench
bench: bin/cicd
	@bin/cicd rehearse --bench

.PHONY: examples
examples: bin/cicd
	@engine=$$(bin/cicd engine) && PATH="$${engine%/*}:$$PATH" EXAMPLES=all go test -count=1 -timeout 2h -v ./examples

# The slowest comes last, so that failures show early.
.PHONY: test check-format check-scripts check-workflows test-webapp check-go test-fast test-docker slowest
test: check-format check-scripts check-workflows test-webapp check-go slowest

check-format:
	@echo 'gofmt'
	@unformatted=$$(find . -name '*.go' -not -path './.*' -exec gofmt -l {} +) && \
	if [[ -n $$unformatted ]]; then echo "not formatted, run gofmt -w on:" $$unformatted >&2; exit 1; fi

check-scripts:
	@if command -v shellcheck >/dev/null; then \
	  echo 'shellcheck'; \
	  find .ci deploy-scripts infra rehearsal -type f \( -name '*.sh' -o -path .ci/run \) -exec shellcheck {} +; \
	elif [[ $$CI == true ]]; then \
	  echo 'shellcheck is not installed, and CI must not go without' >&2; exit 1; \
	else \
	  echo 'SKIPPED: shellcheck is not installed, so no script is checked'; \
	fi

check-workflows: bin/actionlint
	@echo 'actionlint'
	@bin/actionlint .github/workflows/*.yml

test-webapp:
	@echo 'webapp: go vet, go test'
	@$(MAKE) -C webapp test

check-go: bin/staticcheck
	@echo 'go vet, staticcheck (the first time they compile everything, for some minutes) ...'
	@go vet ./...
	@bin/staticcheck ./...

# Each test runs once: here with the race detector, or in test-docker. The tests share an engine, which is built before them
# rather than within one test's time limit.
test-fast: bin/cicd bin/gotestsum
	@race=-race cgo=1; \
	if [[ $$CI != true ]] && ! command -v "$$(go env CC)" >/dev/null; then \
	  race= cgo=0; echo 'SKIPPED: there is no C compiler, so no race detector'; \
	fi; \
	engine=$$(bin/cicd engine) && \
	echo "go test -short $$race (the first time it compiles everything, for some minutes) ..." && \
	CGO_ENABLED=$$cgo PATH="$${engine%/*}:$$PATH" $(gotestsum) --hide-summary=skipped --jsonfile-timing-events=bin/fast.json -- \
	  -timeout 20m -short $$race ./...

# Runs the tests that -short skipped, according to the events. A TestHelper is not a test, but a process for another test.
test-docker: test-fast
	@skipped() { \
	  awk -F '"' '$$8 == "skip" && $$14 == "Test" && $$16 !~ /^TestHelper/ { sub("/.*", "", $$16); print $$'"$$1"' }' bin/fast.json | sort -u; \
	} && \
	tests=$$(skipped 16 | paste -sd '|') && packages=$$(skipped 12) && [[ -n $$tests ]] && \
	engine=$$(bin/cicd engine) && \
	echo 'go test of what needs Docker ...' && \
	PATH="$${engine%/*}:$$PATH" $(gotestsum) --jsonfile-timing-events=bin/docker.json -- \
	  -timeout 70m -run "^($$tests)\$$" $$packages

slowest: test-docker
	@! grep -oh 'SKIPPED for lack of time: drill [a-z0-9-]*' bin/docker.json || echo 'DRILLS=both go test -timeout 2h ./rehearsal/drill skips none, and runs each with two applications'
	@echo 'The slowest tests:'
	@cat bin/fast.json bin/docker.json | bin/gotestsum tool slowest --threshold=1s --num=10

# Prints a line for each package, and the output of a failed test at once and again at the end.
gotestsum := bin/gotestsum --format=pkgname-and-test-fails --format-hide-empty-pkg

# Go knows best what to recompile, and says nothing meanwhile. Without buildvcs, because Git refuses to read another user's
# checkout.
.PHONY: bin/cicd
bin/cicd:
	@[[ -e $@ ]] || echo 'Building $@, for some minutes: the SDK for AWS is large ...' >&2
	@go build -buildvcs=false -o $@ ./cmd/cicd

.PHONY: docs
docs: $(patsubst %.d2,%.svg,$(wildcard docs/*.d2)) bin/cicd
	@engine=$$(bin/cicd engine) && PATH="$${engine%/*}:$$PATH" DASHBOARD_PICTURES=$(CURDIR)/docs go test -count=1 -run TestDashboard ./dashboard

docs/%.svg: docs/%.d2 bin/d2
	@bin/d2 $< $@

# The tools that only this file uses, at the versions that their modules pin.
bin/staticcheck: package := honnef.co/go/tools/cmd/staticcheck
bin/actionlint: package := github.com/rhysd/actionlint/cmd/actionlint
bin/gotestsum: package := gotest.tools/gotestsum
bin/d2: package := oss.terrastruct.com/d2
bin/staticcheck bin/actionlint bin/gotestsum: module := tools/lint
bin/d2: module := tools
bin/staticcheck bin/actionlint bin/gotestsum: tools/lint/go.mod tools/lint/go.sum
bin/d2: tools/go.mod tools/go.sum
bin/staticcheck bin/actionlint bin/gotestsum bin/d2:
	@echo 'Building $@ from source (once) ...' >&2
	@go build -C $(module) -o $(CURDIR)/$@ $(package)

# Only direct dependencies; the others follow from them.
.PHONY: outdated
outdated:
	@newer='{{with .Update}}{{$$.Path}} {{$$.Version}} -> {{.Version}}{{end}}'; \
	go list -m -e -u -f "$$newer" $$(go list -m -f '{{if not (or .Indirect .Main)}}{{.Path}}{{end}}' all) && \
	for module in tools tools/lint tools/buildkit; do \
	  go list -C $$module -m -e -u -f "$$newer" $$(go list -C $$module -f '{{.Module.Path}}' tool) || exit; \
	done

.PHONY: clean
clean:
	rm -rf bin webapp/bin
