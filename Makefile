SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/keyward
CARGO_DENY_VERSION := 0.20.2
CARGO_DENY := $(CACHE)/tools/cargo-deny-$(CARGO_DENY_VERSION)/bin/cargo-deny
MDBOOK_VERSION := 0.5.4
MDBOOK := $(CACHE)/tools/mdbook-$(MDBOOK_VERSION)/bin/mdbook
# What pages of the site link to, beside each other.
SITE_FILES := Dockerfile charts crds examples image packaging schemas
DEV := cargo run -q -p keyward-dev --
# Where `krew` puts archives; those of other machines beside them come into its manifest too.
KREW := target/krew
# More than processors, since most tests wait for a cluster most of the time.
TEST_THREADS := 4
# How long each attack takes. What SECONDS is in the shell that runs make is of no interest.
ATTACK_SECONDS := $(if $(filter command line,$(origin SECONDS)),$(SECONDS),60)
# Where `generate` writes; `generated` has it write to a temporary folder, to compare.
OUT := .

.PHONY: help
help: ## List the targets.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: ## Show what Keyward does, on a local control plane. KEEP=1 leaves it running afterwards.
	@echo "The demo: the control plane and Keyward are built first, where they are not there yet; Helm and nginx while it runs."
	@$(MAKE) dev
	@$(DEV) assets etcd kube-apiserver kubectl > /dev/null
	cargo build --bins
	DEV="$(DEV)" KEEP="$(KEEP)" $(DEV) with --audit-log --token-webhook --later helm \
		$(if $(KEEP),,--no-controller-manager) -- bash examples/demo.sh

.PHONY: cluster
cluster: dev ## Start a local control plane to play with, until Ctrl-C.
	$(DEV) up

# Not quiet, as DEV is, since the first time takes a while.
.PHONY: dev
dev:
	@cargo build -p keyward-dev

.PHONY: build
build: ## Build the programs for release.
	cargo build --release --bins

.PHONY: image-binary
image-binary: ## Build what the image holds into dist/image: the static program, and a list of what is in it. Takes minutes.
	image/build.sh dist/image

.PHONY: image
image: image-binary ## Put the image together without a container engine, as dist/keyward-oci.tar.
	@SOURCE_DATE_EPOCH="$${SOURCE_DATE_EPOCH:-$$(git log -1 --format=%ct)}" \
		image/assemble.py dist/image dist/keyward-oci.tar REVISION="$$(git rev-parse HEAD)"

.PHONY: image-again
image-again: image-binary ## Build what the image holds a second time, in another folder, and compare. Takes twice as long.
	@again=$$(mktemp -d); trap 'rm -rf "$$again"' EXIT; \
	git clone --quiet . "$$again/another-folder"; \
	CARGO_TARGET_DIR="$$again/another-target" "$$again/another-folder/image/build.sh" "$$again/out"; \
	cmp dist/image/keyward "$$again/out/keyward"; \
	cmp dist/image/keyward.cdx.json "$$again/out/keyward.cdx.json"; \
	echo "the same, byte for byte"

.PHONY: krew
krew: ## Build the plugin's archive for this machine, and krew's manifest for the archives in KREW.
	@packaging/krew/archive.sh $(KREW)
	@packaging/krew/manifest.sh $(KREW) > $(KREW)/keyward.yaml
	@ls -l $(KREW)

.PHONY: test
test: dev ## Run every test. The first run builds a Kubernetes control plane, which takes minutes.
	@$(DEV) assets
	@$(DEV) gateways
	@$(DEV) tools
	RUST_TEST_THREADS=$(TEST_THREADS) $(DEV) with --audit-log -- cargo test --workspace

.PHONY: fresh
fresh: ## Run `make demo` and `make test` on a clone with empty caches, as on a new machine. Takes half an hour.
	@dev/fresh.sh

.PHONY: bench
bench: dev ## Measure how fast keys are issued and verified, as ratios to the same work without Keyward. KEYS=5000 issues more keys than 1000.
	@$(DEV) gateways nginx envoy > /dev/null
	$(DEV) with -- cargo bench --bench issue --bench verify

.PHONY: attacks
attacks: dev ## Run every attack for a minute each, and hold what others then have to wait against the bars. SECONDS=10 takes less.
	KEYWARD_ATTACK_SECONDS=$(ATTACK_SECONDS) $(DEV) with --audit-log -- \
		cargo test --release --test attacks -- --nocapture --test-threads 1

.PHONY: simulate
simulate: ## Try many histories of writes, losses and crashes, and hold what must never happen against them. CASES=100000 tries more.
	PROPTEST_CASES=$(or $(CASES),10000) cargo test --lib interleavings

.PHONY: policies
policies: dev ## Ask a real API server for random patches as random users, and hold its answers against the table of rights. CASES=100000 asks more.
	PROPTEST_CASES=$(or $(CASES),10000) $(DEV) with --audit-log -- cargo test --test cluster every_patch

.PHONY: fuzz
fuzz: ## Give what reads the input of strangers inputs that go wrong, each reader for so long: MINUTES=10 instead of one.
	FUZZ_MINUTES=$(or $(MINUTES),1) cargo test --lib fuzzed -- --test-threads 1

.PHONY: generate
generate: ## Write what is generated from the source: CRDs, the chart's copy of them, JSON Schemas, reference pages, the OpenAPI document.
	cargo build -p xtask
	@cargo run -q -p xtask -- generate --out $(OUT)

.PHONY: docs
docs: $(MDBOOK) ## Build the documentation as a site, into target/site.
	@rm -rf target/site
	@said=$$($(MDBOOK) build 2>&1) && ! grep -E '^ *(WARN|ERROR)' <<< "$$said" || { echo "$$said"; exit 1; }
	@cp -r $(SITE_FILES) target/site/
	@echo '<!doctype html><title>Keyward</title><meta http-equiv="refresh" content="0; url=docs/">' > target/site/index.html
	@echo "the documentation is in target/site"

# Not optimised, since it runs for a second and would take minutes more to build.
$(MDBOOK):
	@echo "Installing mdBook $(MDBOOK_VERSION) into $(CACHE)/tools; this takes about a minute, once."
	env -u CARGO_TARGET_DIR cargo install --quiet --locked --debug mdbook --version $(MDBOOK_VERSION) \
		--no-default-features --features search --root $(CACHE)/tools/mdbook-$(MDBOOK_VERSION)

.PHONY: record
record: dev ## Write the recorded objects in docs/argo-cd, and what follows from them. Needed when a status or a message changes.
	@$(DEV) tools
	KEYWARD_RECORD=1 $(DEV) with -- cargo test --test cluster kstatus_argo_cd_and_flux_agree_about_every_state

.PHONY: lint
lint: ## Check format, lints, dependencies, the chart, the documentation, workflows, and that generated files are up to date.
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	@$(MAKE) dependencies
	@$(MAKE) generated
	@$(MAKE) chart
	@$(MAKE) docs
	@$(MAKE) workflows

.PHONY: dependencies
dependencies: $(CARGO_DENY)
	$(CARGO_DENY) check --hide-inclusion-graph bans licenses sources
	@if said=$$($(CARGO_DENY) --color never check --hide-inclusion-graph advisories 2>&1); then echo "$$said"; \
	elif grep -q 'failed to fetch advisory database' <<< "$$said"; then \
		echo "NOT CHECKED: security advisories, because their database could not be fetched:"; \
		sed 's/^/    /' <<< "$$said"; \
	else echo "$$said"; exit 1; fi

$(CARGO_DENY):
	@echo "Installing cargo-deny $(CARGO_DENY_VERSION) into $(CACHE)/tools; this takes a few minutes, once."
	cargo install --quiet --locked cargo-deny --version $(CARGO_DENY_VERSION) --root $(CACHE)/tools/cargo-deny-$(CARGO_DENY_VERSION)

.PHONY: generated
generated:
	@fresh=$$(mktemp -d); trap 'rm -rf "$$fresh"' EXIT; \
	$(MAKE) -s generate OUT="$$fresh"; \
	for path in crds charts/keyward/files/crds schemas docs/reference; do \
		diff -ru "$$path" "$$fresh/$$path" || { echo "$$path is out of date; run: make generate"; exit 1; }; \
	done; \
	echo "generated files are up to date"

.PHONY: chart
chart: dev
	@PATH="$$(dirname "$$($(DEV) assets helm)"):$$PATH"; \
	for values in /dev/null charts/keyward/ci/*-values.yaml; do \
		helm lint --strict charts/keyward --values "$$values"; \
		cmp <(helm template keyward charts/keyward --values "$$values") <(helm template keyward charts/keyward --values "$$values"); \
	done

.PHONY: workflows
workflows: dev
	@packaging/release/version.sh > /dev/null
	@! grep -rnE '^ *(- )?uses: [^.]' .github | grep -vE '@[0-9a-f]{40} # v[0-9.]+$$' || \
		{ echo "name these actions by their full commit, with the version as a comment"; exit 1; }
	@actionlint=$$($(DEV) tools actionlint); "$$actionlint" -shellcheck= -pyflakes= .github/workflows/*.yml
	@echo "the workflows are in order"

.PHONY: chart-archive
chart-archive: dev ## Pack the chart into dist/.
	@mkdir -p dist
	@PATH="$$($(DEV) assets | tail -n 1):$$PATH" helm package charts/keyward --destination dist

.PHONY: manifests
manifests: dev ## Write the chart's manifests as plain YAML with a kustomization, into dist/. HELM_FLAGS='--set …' sets values.
	@PATH="$$(dirname "$$($(DEV) assets helm)"):$$PATH" charts/manifests.sh dist $(HELM_FLAGS)
