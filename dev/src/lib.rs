//! A local Kubernetes control plane.
