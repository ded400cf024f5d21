//! Who the controller is to the API server's record of who wrote what.

use kube::api::{PatchParams, PostParams};

/// The name that the controller's fields carry in `managedFields`.
pub const FIELD_MANAGER: &str = "keyward-controller";

/// Names the controller as the one who writes.
pub(super) fn post() -> PostParams {
    PostParams { field_manager: Some(FIELD_MANAGER.into()), ..PostParams::default() }
}

/// The same for a patch.
pub(super) fn patch() -> PatchParams {
    PatchParams { field_manager: Some(FIELD_MANAGER.into()), ..PatchParams::default() }
}
