//! What every process needs around its work: configuration, telemetry, health, the lease, shutdown, the
//! clock, the random source, the start of tasks.

pub mod audit;
pub mod client;
pub mod clock;
pub mod config;
pub mod health;
pub mod lease;
pub mod metrics;
pub mod preflight;
pub mod random;
pub mod rate;
pub mod sealing;
pub mod server;
pub mod shutdown;
pub mod spawner;
pub mod telemetry;
