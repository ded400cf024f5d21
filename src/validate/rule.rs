//! The closed list of rules, with how bad it is to break one and who would refuse it. The reference page is
//! made from it.

use std::fmt;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// It will work, and is likely not what is meant.
    Warning,
    /// The API server or the controller will refuse it.
    Error,
}

impl Severity {
    /// The severity's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Who would refuse it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The file cannot be read as manifests.
    File,
    /// The API server, when it is applied.
    ApiServer,
    /// The controller, once it is there.
    Controller,
    /// Nobody: it is only likely to be a mistake.
    Nobody,
}

impl Source {
    /// As the documentation names it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::File => "kubectl",
            Self::ApiServer => "API server",
            Self::Controller => "controller",
            Self::Nobody => "nobody",
        }
    }
}

macro_rules! rules {
    ($($name:ident, $severity:ident, $source:ident, $meaning:literal;)*) => {
        /// What a finding is about. Where the controller refuses for it, the name is that of its reason;
        /// where the API server does, that of the reason in its answer.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Rule {
            $(#[doc = $meaning] $name,)*
        }

        impl Rule {
            /// Every rule, in the order of the documentation.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The rule's word.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)* }
            }

            /// How bad it is, unless an option says otherwise.
            pub fn severity(self) -> Severity {
                match self { $(Self::$name => Severity::$severity,)* }
            }

            /// Who would refuse it.
            pub fn source(self) -> Source {
                match self { $(Self::$name => Source::$source,)* }
            }

            /// What it means, as a sentence.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$name => $meaning,)* }
            }
        }
    };
}

rules! {
    InvalidYaml, Error, File, "The document is not YAML, or is a template that was not rendered.";
    DuplicateKey, Error, Nobody, "A key occurs twice in one map, and the first one would be passed over in silence.";
    UnknownKind, Error, File, "Keyward has no such kind or version.";
    TokenInManifest, Error, Nobody, "A manifest holds an access key's token. It is no longer a secret: get a new one by raising `spec.revision`.";
    UnknownField, Error, ApiServer, "The kind has no such field.";
    FieldValueRequired, Error, ApiServer, "A field that must be set is not.";
    FieldValueTypeInvalid, Error, ApiServer, "A value is of another type than the field's.";
    FieldValueNotSupported, Error, ApiServer, "A value is none of those that the field allows.";
    FieldValueTooLong, Error, ApiServer, "A text is longer than the field allows.";
    FieldValueTooMany, Error, ApiServer, "A list or map has more items than the field allows.";
    FieldValueDuplicate, Error, ApiServer, "Two items of a list have the same name.";
    FieldValueInvalid, Error, ApiServer, "A value breaks a rule of the schema.";
    Unreadable, Error, Controller, "The API server would take the object, and the controller could not read it.";
    DuplicateObject, Error, Nobody, "Two manifests are of the same object, and the later one would take the place of the first.";
    InvalidLimits, Error, Controller, "The account's limits, or its times for unused keys, contradict each other.";
    ServiceAccountLimitExceeded, Error, Controller, "There are more service accounts than the account may have.";
    DuplicateDisplayName, Error, Controller, "Another service account of the account has that display name.";
    InvalidAdmin, Error, Controller, "Kubernetes would not bind the admin, and none of those beside it.";
    DuplicateAdmin, Warning, Nobody, "The same admin is named twice.";
    KeyLimitExceeded, Error, Controller, "There are more access keys than the service account may have.";
    ExpiryOutOfRange, Error, Controller, "The validity asked for is outside the account's limits.";
    ExpiryTooNear, Warning, Controller, "The expiry is too near for a new token. A key that has its token already keeps it.";
    InvalidRotation, Error, Controller, "The rotation asked for cannot work with the key's validity.";
    ServiceAccountInactive, Warning, Controller, "The key's service account is switched off, so the key gets no token, or keeps one that does not authenticate.";
    SecretConflict, Error, Controller, "Another key, or a Secret of someone else, has the name of the key's Secret.";
    PublishConflict, Error, Controller, "Another key, or a Secret of someone else, has the name of a Secret of `spec.publish`.";
    PublishNotAccepted, Error, Controller, "The account of a Secret's namespace does not accept it: not from the key's namespace, or not with its name, type, labels or annotations.";
    ServiceAccountNotFound, Warning, Controller, "The service account that is named is not among the manifests. `--references` says how bad that is.";
    AccountNotFound, Warning, Controller, "The Account that would have to accept the key's Secrets is not among the manifests. `--references` says how bad that is.";
    DuplicateGrant, Warning, Nobody, "The service account has another grant on the same resource.";
    UnknownPlaceholder, Warning, Nobody, "A `$(…)` in a Secret's data is like one that is replaced, and is none.";
}

impl From<crd_check::Rule> for Rule {
    fn from(rule: crd_check::Rule) -> Self {
        match rule {
            crd_check::Rule::UnknownField => Self::UnknownField,
            crd_check::Rule::FieldValueRequired => Self::FieldValueRequired,
            crd_check::Rule::FieldValueTypeInvalid => Self::FieldValueTypeInvalid,
            crd_check::Rule::FieldValueNotSupported => Self::FieldValueNotSupported,
            crd_check::Rule::FieldValueTooLong => Self::FieldValueTooLong,
            crd_check::Rule::FieldValueTooMany => Self::FieldValueTooMany,
            crd_check::Rule::FieldValueDuplicate => Self::FieldValueDuplicate,
            crd_check::Rule::FieldValueInvalid => Self::FieldValueInvalid,
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
