//! Manifests together, and what is found of them.

use std::sync::LazyLock;

use chrono::{DateTime, Utc};

use crate::validate::finding::{Finding, Report};
use crate::validate::{Checker, File, Options, References};

static CHECKER: LazyLock<Checker> = LazyLock::new(|| Checker::new().unwrap());

fn now() -> DateTime<Utc> {
    "2026-11-25T12:00:00Z".parse().unwrap()
}

fn manifest(kind: &str, name: &str, spec: &str) -> String {
    format!(
        "---\napiVersion: iam.keyward.dev/v1alpha1\nkind: {kind}\nmetadata: {{name: {name}}}\nspec: {spec}\n"
    )
}

fn file(text: &str) -> [File; 1] {
    [File { name: "f.yaml".to_owned(), text: text.to_owned() }]
}

fn report(base: Option<&str>, text: &str, references: References) -> Report {
    let options = Options { references, ..Options::default() };
    let base = base.map(file);
    CHECKER.check(&file(text), base.as_ref().map(<[File; 1]>::as_slice), &options, now())
}

/// As `severity rule object field: message`.
fn found(base: Option<&str>, text: &str) -> Vec<String> {
    shown(&report(base, text, References::Warning))
}

fn shown(report: &Report) -> Vec<String> {
    let one = |finding: &Finding| {
        let object = finding.object.clone().unwrap_or_default();
        format!("{} {} {object} {}: {}", finding.severity, finding.rule, finding.field, finding.message)
    };
    report.findings.iter().map(one).collect()
}

fn ci() -> String {
    manifest("ServiceAccount", "ci", "{}")
}

#[test]
fn limits_are_those_of_the_account_among_the_manifests_or_else_the_built_in_ones() {
    let key = manifest("AccessKey", "k", "{serviceAccountName: ci, validFor: P30D}");
    assert_eq!(
        found(None, &format!("{}{key}", ci())),
        [
            "error ExpiryOutOfRange AccessKey default/k spec.validFor: spec.validFor P30D is outside the account's limits: a \
      token must be valid for P6M to P2Y from its issue; these are the built-in limits, as the Account of namespace \
      \"default\" is not among the manifests"
        ]
    );
    let account = manifest("Account", "account", "{limits: {minValidFor: P1D}}");
    assert_eq!(found(None, &format!("{account}{}{key}", ci())), [""; 0]);
    let elsewhere = account.replace("name: account", "name: account, namespace: other");
    assert_eq!(found(None, &format!("{elsewhere}{}{key}", ci())).len(), 1, "an Account of another namespace");
}

#[test]
fn an_expiry_that_came_near_is_a_mistake_only_of_a_new_key() {
    let key = |at: &str| {
        format!(
            "{}{}",
            ci(),
            manifest("AccessKey", "k", &format!("{{serviceAccountName: ci, expiresAt: {at}}}"))
        )
    };
    let near = key("2027-01-31T00:00:00Z");
    let message = "spec.expiresAt 2027-01-31T00:00:00Z is outside the account's limits: a token must be valid for P6M to P2Y \
               from its issue; these are the built-in limits, as the Account of namespace \"default\" is not among the \
               manifests; a key that has its token already keeps it";
    let expected =
        |severity: &str| [format!("{severity} ExpiryTooNear AccessKey default/k spec.expiresAt: {message}")];
    assert_eq!(found(None, &near), expected("warning"), "it is not known whether it is new");
    assert_eq!(found(Some(&near), &near), expected("warning"), "it was so before");
    assert_eq!(found(Some(&ci()), &near), expected("error"), "it is new");
    assert_eq!(found(Some(&key("2027-09-30T00:00:00Z")), &near), expected("error"), "it was moved");
    for at in ["2026-11-24T00:00:00Z", "2029-01-01T00:00:00Z"] {
        let found = found(None, &key(at));
        assert!(found.len() == 1 && found[0].starts_with("error ExpiryOutOfRange"), "{found:?}");
    }
    let off = near.replace("{serviceAccountName: ci,", "{serviceAccountName: ci, state: Inactive,");
    assert_eq!(found(Some(&ci()), &off), expected("warning"), "nothing is issued while it is off");
}

#[test]
fn what_is_not_among_the_manifests_is_as_bad_as_is_found() {
    let key = manifest(
        "AccessKey",
        "k",
        "{serviceAccountName: ci, validFor: P6M, publish: [{name: a, namespace: other, data: {k: $(token)}}]}",
    );
    let expected = |severity: &str| {
        [
            format!(
                "{severity} ServiceAccountNotFound AccessKey default/k spec.serviceAccountName: ServiceAccount \"ci\" of \
             namespace \"default\" is not among the manifests; it must be in the cluster, or the key waits for it"
            ),
            format!(
                "{severity} AccountNotFound AccessKey default/k spec.publish[0].namespace: the Account of namespace \"other\" \
             is not among the manifests; in the cluster, its `spec.acceptSecretsFrom` must list \"default\""
            ),
        ]
    };
    assert_eq!(shown(&report(None, &key, References::Warning)), expected("warning"));
    assert_eq!(shown(&report(None, &key, References::Error)), expected("error"));
    assert_eq!(shown(&report(None, &key, References::Ignore)), [""; 0]);
    let accepting = "apiVersion: iam.keyward.dev/v1alpha1\nkind: Account\nmetadata: {name: account, namespace: other}\n\
                 spec: {acceptSecretsFrom: [default]}\n";
    assert_eq!(shown(&report(None, &format!("{accepting}{}{key}", ci()), References::Error)), [""; 0]);
    // A service account whose own manifest is wrong is there all the same.
    let wrong = manifest("ServiceAccount", "ci", "{icon: none}");
    let found = found(None, &format!("{accepting}{wrong}{key}"));
    assert!(found.len() == 1 && found[0].starts_with("error FieldValueNotSupported"), "{found:?}");
}

#[test]
fn no_two_may_want_the_same_secret() {
    let key = |name: &str, more: &str| {
        manifest("AccessKey", name, &format!("{{serviceAccountName: ci, validFor: P6M{more}}}"))
    };
    let secret = |more: &str| {
        format!("---\napiVersion: v1\nkind: Secret\nmetadata: {{name: mine{more}}}\ndata: {{a: aGlkZGVu}}\n")
    };
    for (text, expected) in [
        (
            format!("{}{}", key("a", ""), key("b", ", secret: {name: a}")),
            vec![
                "error SecretConflict AccessKey default/b spec.secret.name: Secret \"a\" of namespace \"default\" is that of \
             AccessKey \"a\" of namespace \"default\", and is never taken over; choose another `spec.secret.name`",
            ],
        ),
        (
            format!("{}{}", key("a", ""), key("b", ", publish: [{name: a, data: {k: $(token)}}]")),
            vec![
                "error PublishConflict AccessKey default/b spec.publish[0].name: Secret \"a\" of namespace \"default\" is that \
             of AccessKey \"a\" of namespace \"default\", and is never taken over; choose another name in `spec.publish`",
            ],
        ),
        (
            format!("{}{}", key("mine", ""), secret("")),
            vec![
                "error SecretConflict AccessKey default/mine metadata.name: Secret \"mine\" of namespace \"default\" is that \
             of f.yaml among the manifests, and is never taken over; choose another `spec.secret.name`",
            ],
        ),
        (format!("{}{}", key("mine", ""), secret(", namespace: other")), vec![]),
        (
            format!("{}{}", key("mine", ""), secret(", labels: {app.kubernetes.io/managed-by: keyward}")),
            vec![],
        ),
    ] {
        assert_eq!(found(None, &format!("{}{text}", ci())), expected, "{text}");
    }
}

#[test]
fn likely_mistakes_are_warned_about() {
    let grant = |name: &str, more: &str| {
        manifest(
            "ResourceGrant",
            name,
            &format!(
                "{{serviceAccountName: ci, role: Member, resource: {{category: App, name: crm}}{more}}}"
            ),
        )
    };
    let data = |text: &str| {
        manifest(
            "AccessKey",
            "k",
            &format!(
                "{{serviceAccountName: ci, validFor: P6M, secret: {{data: {{t: \"$(token) {text}\"}}}}}}"
            ),
        )
    };
    let admins = |admins: &str| manifest("ServiceAccount", "a", &format!("{{admins: [{admins}]}}"));
    for (text, expected) in [
        (
            format!("{}{}", grant("a", ""), grant("b", ", impersonation: Enabled")),
            vec![
                "warning DuplicateGrant ResourceGrant default/b spec.resource: ResourceGrant \"a\" is for the same service \
             account, resource and usage; the higher role of the two counts",
            ],
        ),
        (format!("{}{}", grant("a", ""), grant("b", ", usage: Assignment")), vec![]),
        (
            data("$(tokn) $(keyid)"),
            vec![
                "warning UnknownPlaceholder AccessKey default/k spec.secret.data[t]: $(tokn) is not replaced; did you mean \
             $(token)?",
                "warning UnknownPlaceholder AccessKey default/k spec.secret.data[t]: $(keyid) is not replaced; did you mean \
             $(keyId)?",
            ],
        ),
        (data("$(hostname) $(account) $$(x"), vec![]),
        (
            data("$(previousToken)"),
            vec![
                "warning UnknownPlaceholder AccessKey default/k spec.secret.data[t]: $(previousToken) is replaced in \
             `spec.publish` only",
            ],
        ),
        (
            admins("{kind: User, name: ann}, {kind: Group, name: ann}, {kind: User, name: ann}"),
            vec![
                "warning DuplicateAdmin ServiceAccount default/a spec.admins[2]: User/ann is named before in the list",
            ],
        ),
        (
            admins("{kind: ServiceAccount, name: 'Not DNS', namespace: ops}"),
            vec![
                "error InvalidAdmin ServiceAccount default/a spec.admins[0].name: the name of a core service account must be a \
             DNS name: lower-case letters, digits, '-' and '.'; it is \"Not DNS\"",
            ],
        ),
    ] {
        assert_eq!(found(None, &format!("{}{text}", ci())), expected, "{text}");
    }
}

#[test]
fn each_one_beyond_a_limit_is_reported_and_what_gets_no_place_takes_none() {
    let account =
        manifest("Account", "account", "{limits: {serviceAccounts: 2, accessKeysPerServiceAccount: 1}}");
    let names = ["a", "b", "c"].map(|name| manifest("ServiceAccount", name, "{}")).concat();
    let key =
        |name: &str, more: &str| manifest("AccessKey", name, &format!("{{serviceAccountName: a, {more}}}"));
    let keys = [
        key("idle", "validFor: P6M, state: Inactive"),
        key("bad", "validFor: P1D"),
        key("one", "validFor: P6M"),
        key("two", "validFor: P6M"),
    ];
    let found = found(None, &format!("{account}{names}{}", keys.concat()));
    assert_eq!(
        found,
        [
            "error ServiceAccountLimitExceeded ServiceAccount default/c : it is number 3 in namespace \"default\", whose \
         account may have 2 service accounts",
            "error ExpiryOutOfRange AccessKey default/bad spec.validFor: spec.validFor P1D is outside the account's limits: a \
         token must be valid for P6M to P2Y from its issue",
            "error KeyLimitExceeded AccessKey default/two : it is number 2 of ServiceAccount \"a\", which may have 1 access keys",
        ]
    );
}
