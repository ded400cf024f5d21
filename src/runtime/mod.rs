//! What every process needs around its work: configuration, telemetry, health, the lease, shutdown, the
//! clock, the random source, the start of tasks, what is wiped from memory.

pub mod audit;
pub mod client;
pub mod clock;
pub mod config;
pub mod health;
pub mod held_secret;
pub mod lease;
pub mod memory;
pub mod metrics;
pub mod preflight;
pub mod random;
pub mod rate;
pub mod sealing;
pub mod server;
pub mod shutdown;
pub mod spawner;
pub mod telemetry;
