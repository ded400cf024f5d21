//! The table of rights: who may ask the API server for what, as docs/admins.md and docs/security.md say it.
//! Whoever is not named in a row may not.

use serde_json::{Value, json};

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum User {
    /// Named in `spec.admins` of the service account `ci`.
    AdminOfCi,
    IamAdmin,
    SuperAdmin,
    /// What the chart adds to the cluster role `edit`.
    Edit,
    /// What the chart adds to the cluster roles `edit` and `admin`.
    Admin,
    /// Has every verb on every kind and its status but `delete`, `manage` and `govern`.
    Writer,
    Nobody,
    Verifier,
    Controller,
    /// A member of a group that the policy of status exempts.
    Exempt,
}

use User::{Admin, AdminOfCi, Controller, Edit, Exempt, IamAdmin, Nobody, SuperAdmin, Verifier, Writer};

impl User {
    pub(super) const ALL: [Self; 10] =
        [AdminOfCi, IamAdmin, SuperAdmin, Edit, Admin, Writer, Nobody, Verifier, Controller, Exempt];
}

/// What is asked for. New objects come into being under a name of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Object {
    KeyOfCi,
    KeyOfOther,
    Ci,
    Other,
    Account,
    Grant,
}

impl Object {
    pub(super) const ALL: [Self; 6] =
        [Self::KeyOfCi, Self::KeyOfOther, Self::Ci, Self::Other, Self::Account, Self::Grant];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::KeyOfCi => "ci-key",
            Self::KeyOfOther => "other-key",
            Self::Ci => "ci",
            Self::Other => "other",
            Self::Account => "account",
            Self::Grant => "mail",
        }
    }
}

/// What the API server is asked to do with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Verb {
    Create,
    Change,
    /// By the subresource.
    ChangeStatus,
    Delete,
    DeleteAll,
}

/// A row.
#[derive(Clone, Debug)]
pub(super) struct Right {
    pub(super) object: Object,
    pub(super) verb: Verb,
    /// What changes, for a merge into the object.
    pub(super) patch: Value,
    pub(super) users: &'static [User],
}

const MANAGE_CI: &[User] = &[AdminOfCi, IamAdmin, SuperAdmin, Edit, Admin, Controller, Exempt];
const MANAGE_OTHER: &[User] = &[IamAdmin, SuperAdmin, Edit, Admin, Controller, Exempt];
const REVEAL_CI: &[User] = &[AdminOfCi, Edit, Admin, Controller, Exempt];
const REVEAL_OTHER: &[User] = &[Edit, Admin, Controller, Exempt];
const MAKE_SERVICE_ACCOUNTS: &[User] = &[IamAdmin, SuperAdmin, Edit, Admin, Writer, Exempt];
const DELETE_SERVICE_ACCOUNTS: &[User] = &[IamAdmin, SuperAdmin, Edit, Admin, Exempt];
/// Of service accounts that are there: these have `manage` too.
const NAME_ADMINS: &[User] = &[IamAdmin, SuperAdmin, Admin, Exempt];
const NAME_ADMINS_OF_NEW: &[User] = &[IamAdmin, SuperAdmin, Admin, Writer, Exempt];
const WRITE_ACCOUNT: &[User] = &[SuperAdmin, Admin, Writer, Exempt];
const GOVERN: &[User] = &[Admin, Exempt];
const WRITE_GRANTS: &[User] = &[IamAdmin, SuperAdmin, Admin, Writer, Exempt];
const DELETE_GRANTS: &[User] = &[IamAdmin, SuperAdmin, Admin, Exempt];
const WRITE_STATUS: &[User] = &[Controller, Exempt];
const RECORD_USE: &[User] = &[Verifier, Controller, Exempt];
/// What never changes.
const NO_ONE: &[User] = &[];

fn owned() -> Value {
    let owner = json!({"apiVersion": "v1", "kind": "ConfigMap", "name": "gone", "uid": "gone"});
    json!({"metadata": {"ownerReferences": [owner]}})
}

fn held() -> Value {
    json!({"metadata": {"finalizers": ["example.com/hold"]}})
}

fn labelled() -> Value {
    json!({"metadata": {"labels": {"team": "a"}}})
}

fn spec(field: &str, value: Value) -> Value {
    part("spec", field, value)
}

fn status(field: &str, value: Value) -> Value {
    part("status", field, value)
}

fn part(part: &str, field: &str, value: Value) -> Value {
    let object = |name: &str, value| Value::Object([(name.to_owned(), value)].into_iter().collect());
    object(part, object(field, value))
}

fn rows(object: Object, verb: Verb, rows: Vec<(Value, &'static [User])>) -> impl Iterator<Item = Right> {
    rows.into_iter().map(move |(patch, users)| Right { object, verb, patch, users })
}

/// Every row. The objects are as `before` finds them.
pub(super) fn rights(before: impl Fn(Object) -> Value) -> Vec<Right> {
    let mut all = Vec::new();
    for (object, manage, reveal) in
        [(Object::KeyOfCi, MANAGE_CI, REVEAL_CI), (Object::KeyOfOther, MANAGE_OTHER, REVEAL_OTHER)]
    {
        all.extend(keys(object, manage, reveal));
    }
    for (object, manage) in [(Object::Ci, MANAGE_CI), (Object::Other, MANAGE_OTHER)] {
        all.extend(service_accounts(object, manage, &before(object)));
    }
    all.extend(accounts());
    all.extend(grants());
    all
}

fn keys(object: Object, manage: &'static [User], reveal: &'static [User]) -> impl Iterator<Item = Right> {
    let publish = json!([{"name": "gateway", "data": {"key": "$(token)"}}]);
    let new = vec![
        (labelled(), manage),
        (owned(), manage),
        (held(), manage),
        (spec("secret", json!({"name": "elsewhere"})), reveal),
        (spec("publish", publish.clone()), reveal),
    ];
    let changes = vec![
        (labelled(), manage),
        (owned(), manage),
        (held(), manage),
        (spec("state", json!("Inactive")), manage),
        (spec("revision", json!(2)), manage),
        (spec("validFor", json!("P7M")), manage),
        (spec("description", json!("x")), manage),
        (spec("secret", json!({"labels": {"a": "b"}})), reveal),
        (spec("publish", publish), reveal),
        (spec("serviceAccountName", json!("third")), NO_ONE),
    ];
    let status = vec![
        (status("lastUsedAt", json!("2099-01-01T00:00:00Z")), RECORD_USE),
        (status("lastUsedAt", json!("2020-01-01T00:00:00Z")), WRITE_STATUS),
        (status("lastUsedAt", Value::Null), WRITE_STATUS),
        (status("token", json!({"sha256": "0".repeat(64)})), WRITE_STATUS),
        (status("token", Value::Null), WRITE_STATUS),
        (status("seal", Value::Null), WRITE_STATUS),
        (status("serial", json!(99_999_999_999_i64)), WRITE_STATUS),
        (status("serviceAccountUID", json!("another")), WRITE_STATUS),
        (status("state", json!("Expired")), WRITE_STATUS),
        (status("secretName", json!("elsewhere")), WRITE_STATUS),
        (status("usageRecordedSince", json!("2020-01-01T00:00:00Z")), WRITE_STATUS),
        (status("conditions", json!([])), WRITE_STATUS),
        (status("auditLog", json!([])), WRITE_STATUS),
    ];
    rows(object, Verb::Create, new)
        .chain(rows(object, Verb::Change, changes))
        .chain(rows(object, Verb::ChangeStatus, status))
        .chain(rows(object, Verb::Delete, vec![(json!({}), manage)]))
        // Of all keys at once, so of both service accounts.
        .chain(rows(object, Verb::DeleteAll, vec![(json!({}), &[Edit, Admin, Exempt])]))
}

fn service_accounts(object: Object, manage: &'static [User], before: &Value) -> impl Iterator<Item = Right> {
    let admins = json!([{"kind": "User", "name": "eve"}]);
    // `manage` is asked for first, and `delete` of whom the garbage collector shall serve.
    let deletes = DELETE_SERVICE_ACCOUNTS;
    let new = vec![
        (labelled(), MAKE_SERVICE_ACCOUNTS),
        (spec("description", json!("x")), MAKE_SERVICE_ACCOUNTS),
        (owned(), deletes),
        (held(), deletes),
        (spec("admins", admins.clone()), NAME_ADMINS_OF_NEW),
    ];
    let changes = vec![
        (labelled(), manage),
        (spec("state", json!("Inactive")), manage),
        (spec("displayName", json!("Another")), manage),
        (spec("description", json!("x")), manage),
        (owned(), deletes),
        (held(), deletes),
        (spec("admins", admins), NAME_ADMINS),
    ];
    let act = json!({
        "id": "act", "time": "2098-01-01T00:00:00Z", "actor": "keyward:team:ci", "action": "Act", "object": "AccessKey/ci-key",
        "reason": "ActedOnBehalf", "message": "Acted", "count": 1,
    });
    let log = before["status"]["auditLog"].as_array().unwrap();
    let mut forged = act.clone();
    forged["reason"] = json!("Activated");
    let longer = |entry: Value| json!([&[entry][..], log].concat());
    let status = vec![
        (status("auditLog", longer(act)), RECORD_USE),
        (status("auditLog", longer(forged)), WRITE_STATUS),
        (status("auditLog", json!([])), WRITE_STATUS),
        (status("seats", json!([])), WRITE_STATUS),
        (status("state", json!("Inactive")), WRITE_STATUS),
        (status("displayName", json!("Another")), WRITE_STATUS),
        (status("admins", json!([{"kind": "User", "name": "eve"}])), WRITE_STATUS),
    ];
    rows(object, Verb::Create, new)
        .chain(rows(object, Verb::Change, changes))
        .chain(rows(object, Verb::ChangeStatus, status))
        .chain(rows(object, Verb::Delete, vec![(json!({}), deletes)]))
        .chain(rows(object, Verb::DeleteAll, vec![(json!({}), &[Edit, Admin, Writer, Exempt])]))
}

fn accounts() -> impl Iterator<Item = Right> {
    let admins = json!([{"kind": "User", "name": "eve"}]);
    let changes = vec![
        (labelled(), WRITE_ACCOUNT),
        (spec("displayName", json!("Another")), WRITE_ACCOUNT),
        (spec("superAdmins", admins.clone()), WRITE_ACCOUNT),
        (spec("iamAdmins", admins.clone()), WRITE_ACCOUNT),
        (spec("limits", json!({"serviceAccounts": 9})), GOVERN),
        (spec("acceptSecretsFrom", json!(["another"])), GOVERN),
        (spec("publishing", json!({"types": ["example.com/key"]})), GOVERN),
        (spec("unusedAccessKeys", json!({"warnAfter": "P90D"})), GOVERN),
        (owned(), GOVERN),
        (held(), GOVERN),
    ];
    let status = vec![
        (status("seats", json!([])), WRITE_STATUS),
        (status("usageRecordedSince", json!("2099-01-01T00:00:00Z")), WRITE_STATUS),
        (status("usageRecordedSince", json!("2020-01-01T00:00:00Z")), WRITE_STATUS),
        (status("usageRecordedSince", Value::Null), WRITE_STATUS),
        (status("superAdmins", admins), WRITE_STATUS),
        (status("policy", Value::Null), WRITE_STATUS),
        (status("conditions", json!([])), WRITE_STATUS),
    ];
    rows(Object::Account, Verb::Change, changes)
        .chain(rows(Object::Account, Verb::ChangeStatus, status))
        .chain(rows(Object::Account, Verb::Delete, vec![(json!({}), GOVERN)]))
        .chain(rows(Object::Account, Verb::DeleteAll, vec![(json!({}), GOVERN)]))
}

fn grants() -> impl Iterator<Item = Right> {
    let new = vec![
        (labelled(), WRITE_GRANTS),
        (spec("impersonation", json!("Enabled")), WRITE_GRANTS),
        (owned(), DELETE_GRANTS),
        (held(), DELETE_GRANTS),
    ];
    let changes = vec![
        (labelled(), WRITE_GRANTS),
        (spec("role", json!("Admin")), WRITE_GRANTS),
        (spec("impersonation", json!("Enabled")), WRITE_GRANTS),
        (spec("serviceAccountName", json!("other")), NO_ONE),
        (owned(), DELETE_GRANTS),
        (held(), DELETE_GRANTS),
    ];
    let status = vec![
        (status("conditions", json!([])), WRITE_STATUS),
        (status("observedGeneration", json!(99)), WRITE_STATUS),
    ];
    rows(Object::Grant, Verb::Create, new)
        .chain(rows(Object::Grant, Verb::Change, changes))
        .chain(rows(Object::Grant, Verb::ChangeStatus, status))
        .chain(rows(Object::Grant, Verb::Delete, vec![(json!({}), DELETE_GRANTS)]))
        .chain(rows(Object::Grant, Verb::DeleteAll, vec![(json!({}), &[Admin, Writer, Exempt])]))
}
