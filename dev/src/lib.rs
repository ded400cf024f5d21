//! A local Kubernetes control plane: a real etcd and kube-apiserver, and a kube-controller-manager where
//! cascading deletes and quotas are wanted, on loopback with own certificates and data in a temporary folder.
//!
//! - [`Assets`] finds the programs it is made of, and builds them once where they are missing.
//! - [`Gateways`] finds the gateways that are put before something, and installs them once.
//! - [`Tool`] finds other programs that tests ask, and builds them once.
//! - [`ControlPlane`] starts them and stops them, and leaves nothing behind.

pub mod assets;
pub mod control_plane;
mod gateways;
mod patience;
mod say;
mod tool;

pub use assets::{Assets, Program};
pub use control_plane::{ControlPlane, Error, Options};
pub use gateways::{Gateway, Gateways};
pub use patience::{PATIENCE, TIMEOUT};
pub use say::say;
pub use tool::Tool;
