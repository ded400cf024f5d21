//! Who the controller is to server-side apply.

/// The name that the controller's fields carry in `managedFields`.
pub const FIELD_MANAGER: &str = "keyward-controller";
