//! The core service accounts that the programs are in a scene. The policies name them.

/// That of the controller.
pub const CONTROLLER: &str = "keyward-controller";
/// That of a verifier.
pub const VERIFIER: &str = "keyward-verifier";
