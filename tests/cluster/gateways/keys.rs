//! The keys of the cases.

use keyward::api::AccessKey;
use keyward::domain::value::token::Token;
use serde_json::json;

use crate::support::{Scene, Verifier};

pub struct Keys {
    /// May act for others on expense claims, as Member.
    pub good: Token,
    /// Member there, but only for itself.
    pub own_only: Token,
    /// Viewer there.
    pub viewer: Token,
    /// Has no grant.
    pub stranger: Token,
    pub off: Token,
    pub expired: Token,
}

impl Keys {
    pub async fn make(scene: &Scene) -> Self {
        scene.short_lived().await;
        scene.service_account("brief").await;
        scene.key_with("brief-key", "brief", json!({"validFor": "PT20S"})).await;
        scene.key_when("brief-key", "Issued").await;
        let expired = scene.token("brief-key").await;
        let granted = [
            ("good", json!({"impersonation": "Enabled"})),
            ("own-only", json!({})),
            ("viewer", json!({"role": "Viewer", "impersonation": "Enabled"})),
        ];
        for (name, more) in granted {
            scene.grant(name, name, "Process", "expense-claims", more).await;
        }
        let good = scene.issued("good").await;
        let own_only = scene.issued("own-only").await;
        let viewer = scene.issued("viewer").await;
        let stranger = scene.issued("stranger").await;
        let off = scene.issued("off").await;
        scene.set::<AccessKey>("off-key", json!({"state": "Inactive"})).await;
        scene.key_when("off-key", "Inactive").await;
        scene.key_when("brief-key", "Expired").await;
        Self { good, own_only, viewer, stranger, off, expired }
    }

    /// Waits until the verifier has seen the last of it.
    pub async fn known_to(&self, verifier: &Verifier) {
        for token in [&self.off, &self.expired] {
            verifier.answers(token, 401).await;
        }
        for token in [&self.good, &self.own_only, &self.viewer, &self.stranger] {
            verifier.answers(token, 200).await;
        }
    }
}
