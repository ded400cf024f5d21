//! What is wrong with an object, and the closed list of rules it can break.

use std::fmt;

use crate::path::Path;

/// A rule of the schema. The names are those of the causes in the API server's answer
/// (`k8s.io/apimachinery/pkg/apis/meta/v1.CauseType` and `field.ErrorType`); [`Rule::UnknownField`] is what
/// `kubectl --validate=strict` refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// The schema has no such field.
    UnknownField,
    /// A field that must be set is not.
    FieldValueRequired,
    /// A value is of another type than the field's.
    FieldValueTypeInvalid,
    /// A value is none of those that the field allows.
    FieldValueNotSupported,
    /// A text is longer than the field allows.
    FieldValueTooLong,
    /// A list or map has more items than the field allows.
    FieldValueTooMany,
    /// Two items of a list have the same key.
    FieldValueDuplicate,
    /// A value breaks another rule of the schema.
    FieldValueInvalid,
}

impl Rule {
    /// With one of these the API server does not come to the CEL rules, whose values would be of no known
    /// type or size.
    pub(crate) fn precludes_cel(self) -> bool {
        match self {
            Self::FieldValueRequired
            | Self::FieldValueTypeInvalid
            | Self::FieldValueNotSupported
            | Self::FieldValueTooLong
            | Self::FieldValueTooMany => true,
            Self::UnknownField | Self::FieldValueDuplicate | Self::FieldValueInvalid => false,
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The variants are named as the API server names them.
        fmt::Debug::fmt(self, f)
    }
}

/// A rule that an object breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The rule.
    pub rule: Rule,
    /// The field.
    pub path: Path,
    /// What was given and what is allowed.
    pub message: String,
}
