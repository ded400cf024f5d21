//! How fast keys are verified, as ratios in one run: the verifier with 100, 10,000 and 100,000 keys against
//! (a) the same port without the check, (b) nginx, (c) Envoy's own filter for API keys; its memory; and how
//! soon it refuses what was switched off. `make bench` starts the control plane. How it is measured is in
//! `docs/benchmarks.md`.

#[allow(dead_code, reason = "the other bench uses the rest")]
mod support;
mod verify;

use support::Failure;

/// As in the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> Result<(), Failure> {
    verify::main()
}
