//! What is chosen of a control plane.

/// What a control plane is started with.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Starts a kube-controller-manager too: cascading deletes, namespace deletion and quotas.
    pub controller_manager: bool,
    /// Writes each request's metadata to a file, see [`audit_log_path`](crate::ControlPlane::audit_log_path).
    pub audit_log: bool,
    /// Has the API server ask about tokens that it does not know itself, see
    /// [`token_webhook`](crate::ControlPlane::token_webhook).
    pub token_webhook: bool,
    /// More arguments of the API server, after its own.
    pub extra_api_server_args: Vec<String>,
}
