SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/keyward
CARGO_DENY_VERSION := 0.20.2
CARGO_DENY := $(CACHE)/tools/cargo-deny-$(CARGO_DENY_VERSION)/bin/cargo-deny
DEV := cargo run -q -p keyward-dev --
# Where `generate` writes; `generated` has it write to a temporary folder, to compare.
OUT := .

.PHONY: help
help: ## List the targets.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: dev ## Show what Keyward does, on a local control plane. KEEP=1 leaves it running afterwards.
	cargo build --bins
	KEEP="$(KEEP)" GATEWAYS="$$($(DEV) gateways)" $(DEV) with --audit-log --token-webhook -- bash examples/demo.sh

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

.PHONY: test
test: dev ## Run every test. The first run builds a Kubernetes control plane, which takes minutes.
	@$(DEV) assets
	@$(DEV) gateways
	@$(DEV) health
	$(DEV) with --audit-log -- cargo test --workspace

.PHONY: bench
bench: dev ## Measure how fast keys are issued and verified, as ratios to the same work without Keyward. KEYS=5000 issues more keys than 1000.
	@$(DEV) gateways
	$(DEV) with -- cargo bench --bench issue --bench verify

.PHONY: generate
generate: ## Write what is generated from the source: CRDs, the chart's copy of them, reference pages, the OpenAPI document.
	cargo build --bins
	@mkdir -p $(OUT)/crds $(OUT)/charts/keyward/files/crds $(OUT)/docs/reference
	@rm -f $(OUT)/crds/*.yaml $(OUT)/charts/keyward/files/crds/*.yaml $(OUT)/docs/reference/*.md $(OUT)/docs/reference/*.json
	@cargo run -q -- crds --dir $(OUT)/crds
	@cp $(OUT)/crds/*.yaml $(OUT)/charts/keyward/files/crds/
	@cargo run -q -- reference --dir $(OUT)/docs/reference

.PHONY: record
record: dev ## Write the recorded objects in docs/argo-cd, and what follows from them. Needed when a status or a message changes.
	@$(DEV) health
	KEYWARD_RECORD=1 $(DEV) with -- cargo test --test cluster kstatus_argo_cd_and_flux_agree_about_every_state

.PHONY: lint
lint: ## Check format, lints, dependencies, the chart, and that generated files are up to date.
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	@$(MAKE) dependencies
	@$(MAKE) generated
	@$(MAKE) chart

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
	for path in crds charts/keyward/files/crds docs/reference; do \
		diff -ru "$$path" "$$fresh/$$path" || { echo "$$path is out of date; run: make generate"; exit 1; }; \
	done; \
	echo "generated files are up to date"

.PHONY: chart
chart: dev
	@PATH="$$($(DEV) assets | tail -n 1):$$PATH"; \
	for values in '' verifier.enabled=true,verifier.tls.secretName=tls,watchNamespace=shop; do \
		helm lint --strict charts/keyward --set "$$values"; \
		cmp <(helm template keyward charts/keyward --set "$$values") <(helm template keyward charts/keyward --set "$$values"); \
	done
