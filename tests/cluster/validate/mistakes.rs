//! A table of mistakes in one manifest each: kubectl's dry run refuses every one of them, and for the same
//! fields.

use std::sync::Mutex;

use keyward::validate::Checker;

use super::{alike, as_the_api_server, check, dry_run, of_the_api_server};
use crate::support::Scene;

/// Kind, what is below it, and the findings as `rule field`.
type Case = (&'static str, &'static str, &'static [&'static str]);

const KEY: &str = "AccessKey";
const ACCOUNT: &str = "ServiceAccount";

const CASES: &[Case] = &[
    (KEY, "spec: {validFor: P6M}", &["FieldValueRequired spec.serviceAccountName"]),
    (KEY, "spec: {serviceAccountName: null, validFor: P6M}", &["FieldValueRequired spec.serviceAccountName"]),
    (KEY, "{}", &["FieldValueRequired spec"]),
    (KEY, "spec: none", &["FieldValueTypeInvalid spec"]),
    (
        KEY,
        "spec: {serviceAccountName: '', validFor: P6M}",
        &["FieldValueInvalid spec.serviceAccountName", "FieldValueInvalid spec.serviceAccountName"],
    ),
    (KEY, "spec: {serviceAccountName: 7, validFor: P6M}", &["FieldValueTypeInvalid spec.serviceAccountName"]),
    (
        KEY,
        "spec: {serviceAccountName: yes, validFor: P6M}",
        &["FieldValueTypeInvalid spec.serviceAccountName"],
    ),
    (
        KEY,
        "spec: {serviceAccountName: [ci], validFor: P6M}",
        &["FieldValueTypeInvalid spec.serviceAccountName"],
    ),
    (KEY, "spec: {serviceAccountName: ci, validFor: P6M, stat: Active}", &["UnknownField spec.stat"]),
    (KEY, "spec: {serviceAccountName: ci, validFor: P6M}\nsepc: {}", &["UnknownField sepc"]),
    (KEY, "spec: {serviceAccountName: ci, validFor: P6M}\nstatus: {a: 1}", &["UnknownField status.a"]),
    (
        KEY,
        "spec: {serviceAccountName: ci, validFor: P6M, state: active}",
        &["FieldValueNotSupported spec.state"],
    ),
    (KEY, "spec: {serviceAccountName: ci, validFor: P6M, revision: 0}", &["FieldValueInvalid spec.revision"]),
    (
        KEY,
        "spec: {serviceAccountName: ci, validFor: P6M, revision: 2147483648}",
        &["FieldValueInvalid spec.revision"],
    ),
    (
        KEY,
        "spec: {serviceAccountName: ci, validFor: P6M, revision: 1.5}",
        &["FieldValueTypeInvalid spec.revision"],
    ),
    (
        KEY,
        "spec: {serviceAccountName: ci, validFor: P6M, revision: '2'}",
        &["FieldValueTypeInvalid spec.revision"],
    ),
    (
        KEY,
        "spec: {serviceAccountName: ci, validFor: P6M, displayName: ''}",
        &["FieldValueInvalid spec.displayName"],
    ),
    (KEY, "spec: {serviceAccountName: ci}", &["FieldValueInvalid spec"]),
    (
        KEY,
        "spec: {serviceAccountName: ci, validFor: P6M, expiresAt: 2027-12-31T00:00:00Z}",
        &["FieldValueInvalid spec"],
    ),
    (KEY, "spec: {serviceAccountName: ci, validFor: 6 months}", &["FieldValueInvalid spec.validFor"]),
    (KEY, "spec: {serviceAccountName: ci, validFor: P}", &["FieldValueInvalid spec.validFor"]),
    (
        KEY,
        "spec: {serviceAccountName: ci, validFor: P000000000000000000000000000000006M}",
        &["FieldValueTooLong spec.validFor"],
    ),
    (KEY, "spec: {serviceAccountName: ci, expiresAt: tomorrow}", &["FieldValueTypeInvalid spec.expiresAt"]),
    (KEY, "spec: {serviceAccountName: ci, expiresAt: 2027-12-31}", &["FieldValueTypeInvalid spec.expiresAt"]),
    (
        KEY,
        "spec: {serviceAccountName: ci, expiresAt: 2027-12-31T00:00:00Z, rotation: {renewBefore: P7D}}",
        &["FieldValueInvalid spec"],
    ),
    (
        KEY,
        "spec: {serviceAccountName: ci, validFor: P6M, rotation: {overlap: P7D}}",
        &["FieldValueRequired spec.rotation.renewBefore"],
    ),
    (
        KEY,
        "spec: {serviceAccountName: ci, validFor: P6M, rotation: {renewBefore: soon, overlap: 7d}}",
        &["FieldValueInvalid spec.rotation.overlap", "FieldValueInvalid spec.rotation.renewBefore"],
    ),
    (
        KEY,
        "spec: {serviceAccountName: ci, validFor: P6M, secret: {name: Not_DNS}}",
        &["FieldValueInvalid spec.secret.name"],
    ),
    (
        KEY,
        "spec: {serviceAccountName: ci, validFor: P6M, secret: {labels: {team: not valid!}}}",
        &["FieldValueInvalid spec.secret.labels[team]"],
    ),
    (
        KEY,
        "spec: {serviceAccountName: ci, validFor: P6M, secret: {labels: {a b: x}}}",
        &["FieldValueInvalid spec.secret.labels"],
    ),
    (
        KEY,
        "spec: {serviceAccountName: ci, validFor: P6M, secret: {labels: {app.kubernetes.io/instance: x}}}",
        &["FieldValueInvalid spec.secret.labels"],
    ),
    (
        KEY,
        "spec: {serviceAccountName: ci, validFor: P6M, secret: {annotations: {meta.helm.sh/release-name: x}}}",
        &["FieldValueInvalid spec.secret.annotations"],
    ),
    (
        KEY,
        "spec: {serviceAccountName: ci, validFor: P6M, secret: {data: {a: b}}}",
        &["FieldValueInvalid spec.secret.data"],
    ),
    (
        KEY,
        "spec: {serviceAccountName: ci, validFor: P6M, secret: {data: {a/b: $(token)}}}",
        &["FieldValueInvalid spec.secret.data"],
    ),
    (
        KEY,
        "spec: {serviceAccountName: ci, validFor: P6M, publish: [{name: a}]}",
        &["FieldValueRequired spec.publish[0].data"],
    ),
    (
        KEY,
        "spec: {serviceAccountName: ci, validFor: P6M, publish: [{name: a, data: {}}]}",
        &["FieldValueInvalid spec.publish[0].data", "FieldValueInvalid spec.publish[0].data"],
    ),
    (
        KEY,
        "spec: {serviceAccountName: ci, validFor: P6M, publish: [{name: a, data: {k: none}}]}",
        &["FieldValueInvalid spec.publish[0].data"],
    ),
    (
        KEY,
        "spec: {serviceAccountName: ci, validFor: P6M, publish: [{name: a, data: {k: $(token)}, type: kubernetes.io/tls}]}",
        &["FieldValueInvalid spec.publish[0].type"],
    ),
    (
        KEY,
        "spec: {serviceAccountName: ci, validFor: P6M, publish: [{name: a, data: {k: $(token)}, namespace: Other}]}",
        &["FieldValueInvalid spec.publish[0].namespace"],
    ),
    (
        KEY,
        "spec: {serviceAccountName: ci, validFor: P6M, publish: [{name: bad, data: {k: $(token)}}]}",
        &["FieldValueInvalid "],
    ),
    (
        KEY,
        "spec: {serviceAccountName: ci, validFor: P6M, publish: [{name: a, data: {k: $(token)}}, {name: a, data: {k: $(token)}}]}",
        &["FieldValueDuplicate spec.publish[1]"],
    ),
    (
        KEY,
        "spec: {serviceAccountName: ci, validFor: P6M, publish: [null]}",
        &["FieldValueTypeInvalid spec.publish[0]"],
    ),
    (
        KEY,
        "spec: {serviceAccountName: ci, validFor: P6M, publish: {}}",
        &["FieldValueTypeInvalid spec.publish"],
    ),
    (ACCOUNT, "spec: {icon: Unicorn}", &["FieldValueNotSupported spec.icon"]),
    (ACCOUNT, "spec: {description: {}}", &["FieldValueTypeInvalid spec.description"]),
    (ACCOUNT, "spec: {admins: [{kind: User}]}", &["FieldValueRequired spec.admins[0].name"]),
    (ACCOUNT, "spec: {admins: [{kind: Robot, name: a}]}", &["FieldValueNotSupported spec.admins[0].kind"]),
    (ACCOUNT, "spec: {admins: [{kind: User, name: a, namespace: b}]}", &["FieldValueInvalid spec.admins[0]"]),
    (ACCOUNT, "spec: {admins: [{kind: ServiceAccount, name: a}]}", &["FieldValueInvalid spec.admins[0]"]),
    ("Account", "spec: {}", &["FieldValueInvalid "]),
    (
        "ResourceGrant",
        "spec: {serviceAccountName: ci, resource: {category: Process, name: -x}, role: Member}",
        &["FieldValueInvalid spec.resource.name"],
    ),
    (
        "ResourceGrant",
        "spec: {serviceAccountName: ci, resource: {category: Proces, name: x}, role: Owner, usage: shared}",
        &[
            "FieldValueNotSupported spec.resource.category",
            "FieldValueNotSupported spec.role",
            "FieldValueNotSupported spec.usage",
        ],
    ),
];

/// The same for what is in `metadata`, of a service account.
const METADATA: &[(&str, &[&str])] = &[
    ("{}", &["FieldValueRequired metadata.name"]),
    ("{name: Not_DNS}", &["FieldValueInvalid metadata.name"]),
    ("{name: 7}", &["FieldValueTypeInvalid metadata.name"]),
    ("{name: a, lables: {a: b}}", &["UnknownField metadata.lables"]),
    ("{name: a, labels: {a: 7}}", &["FieldValueTypeInvalid metadata.labels[a]"]),
    ("{name: a, labels: {a: 'not valid!'}}", &["FieldValueInvalid metadata.labels[a]"]),
    ("{name: a, labels: {a b: x}}", &["FieldValueInvalid metadata.labels[a b]"]),
    ("{name: a, annotations: {a b: x}}", &["FieldValueInvalid metadata.annotations[a b]"]),
    ("{name: a, annotations: {a: true}}", &["FieldValueTypeInvalid metadata.annotations[a]"]),
    ("{name: a, finalizers: ['a b']}", &["FieldValueInvalid metadata.finalizers[0]"]),
];

fn manifest(kind: &str, below: &str) -> String {
    let below = if below == "{}" { "" } else { below };
    format!("apiVersion: iam.keyward.dev/v1alpha1\nkind: {kind}\nmetadata: {{name: bad}}\n{below}\n")
}

fn cases() -> Vec<(String, Vec<&'static str>)> {
    let of_spec = CASES.iter().map(|(kind, below, expected)| (manifest(kind, below), expected.to_vec()));
    let of_metadata = METADATA.iter().map(|(metadata, expected)| {
        let text =
            format!("apiVersion: iam.keyward.dev/v1alpha1\nkind: ServiceAccount\nmetadata: {metadata}\n");
        (text, expected.to_vec())
    });
    of_spec.chain(of_metadata).collect()
}

#[tokio::test]
async fn each_mistake_that_is_found_is_refused_by_the_api_server_for_the_same_field() {
    let scene = Scene::new("mistakes").await;
    let checker = Checker::new().unwrap();
    let cases = Mutex::new(cases().into_iter());
    let failures = Mutex::new(Vec::new());
    let work = || {
        while let Some((text, mut expected)) = { cases.lock().unwrap().next() } {
            let report = check(&checker, &text);
            let mut found: Vec<String> = of_the_api_server(&report)
                .iter()
                .map(|finding| format!("{} {}", finding.rule, finding.field))
                .collect();
            found.sort();
            expected.sort_unstable();
            let refusal = dry_run(&scene, &text).err().unwrap_or_default();
            let mut fields = expected.iter().map(|said| as_the_api_server(said.split_once(' ').unwrap().1));
            // Of metadata that it cannot read, and of an object without a name, it names no field.
            let is_nameless =
                refusal.contains("cannot unmarshal") || refusal.contains("name may not be empty");
            let mut is_named = |field: String| alike(&refusal).contains(&alike(&field)) || is_nameless;
            if found != expected || refusal.is_empty() || !fields.all(&mut is_named) {
                failures
                    .lock()
                    .unwrap()
                    .push(format!("{text}\nfound {found:?}\nexpected {expected:?}\n{refusal}"));
            }
        }
    };
    std::thread::scope(|scope| (0..4).for_each(|_| drop(scope.spawn(work))));
    let failures = failures.into_inner().unwrap();
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

#[tokio::test]
async fn what_yaml_makes_of_a_word_is_the_same_for_both() {
    let scene = Scene::new("words").await;
    let checker = Checker::new().unwrap();
    let words = [
        "yes",
        "no",
        "on",
        "Off",
        "y",
        "N",
        "true",
        "~",
        "null",
        "017",
        "1_000",
        "0x1F",
        "1e3",
        "1.0",
        ".5",
        "2027-05-31",
        "2027-05-31T00:00:00Z",
        "!!str 7",
        "!!int '7'",
        "'7'",
        "1:30",
        "0o17",
        "<<",
        ".nan",
        "+7",
        "08",
    ];
    for word in words {
        let text = manifest("ServiceAccount", &format!("spec: {{displayName: {word}}}"));
        let is_good = check(&checker, &text).findings.is_empty();
        let refusal = dry_run(&scene, &text).err();
        assert_eq!(is_good, refusal.is_none(), "{word}: {refusal:?}");
    }
}
