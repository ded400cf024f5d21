//! The types of conditions. Conditions are output: what a decision needs is a status field of its own.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use strum::VariantArray;

/// A condition's `type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, VariantArray)]
pub enum ConditionType {
    /// What is asked for holds.
    Ready,
    /// The object authenticates.
    Active,
    /// Work is under way; there only while True, as kstatus wants it.
    Reconciling,
    /// Only a user can help; there only while True, as kstatus wants it.
    Stalled,
    /// The token expires soon and nothing renews it; there only while True.
    Expiring,
    /// Nobody uses the key; there only while True.
    Unused,
    /// `spec.revision` asks for a token and gets none; there only while True.
    RevisionBehind,
    /// The API server refused a write of the controller's; there only while True.
    WriteRefused,
}

impl ConditionType {
    /// Every type, in the order in which an object has them.
    pub const ALL: &[Self] = Self::VARIANTS;

    /// The type as it stands in status.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "Ready",
            Self::Active => "Active",
            Self::Reconciling => "Reconciling",
            Self::Stalled => "Stalled",
            Self::Expiring => "Expiring",
            Self::Unused => "Unused",
            Self::RevisionBehind => "RevisionBehind",
            Self::WriteRefused => "WriteRefused",
        }
    }

    /// The condition of this type, where there is one: for those who show it.
    pub fn find(self, conditions: &[Condition]) -> Option<&Condition> {
        conditions.iter().find(|condition| condition.type_ == self.as_str())
    }

    /// Whether the condition of this type is True.
    pub fn is_true(self, conditions: &[Condition]) -> bool {
        self.find(conditions).is_some_and(|condition| condition.status == "True")
    }
}
