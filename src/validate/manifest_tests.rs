use super::*;
use crate::validate::yaml;

/// What each object of a text is taken for.
fn sorted(text: &str) -> Vec<String> {
    let (documents, problems) = yaml::read(text);
    assert_eq!(problems, []);
    let places =
        documents.iter().map(|document| Place { file: "f", document: document.number, root: &document.root });
    let shown = |sorted: Sorted<'_>| match sorted {
        Sorted::Known(manifest) => manifest.full_name(),
        Sorted::Mistaken(_, remark) => format!("{} {}", remark.path, remark.message),
        Sorted::Other => "other".to_owned(),
    };
    places.flat_map(|place| sort(place, "shop")).map(shown).collect()
}

#[test]
fn only_keywards_kinds_and_secrets_are_manifests() {
    for (text, expected) in [
        (
            "{apiVersion: iam.keyward.dev/v1alpha1, kind: AccessKey, metadata: {name: a}}",
            vec!["AccessKey shop/a"],
        ),
        (
            "{apiVersion: iam.keyward.dev/v1alpha1, kind: ServiceAccount, metadata: {name: a, namespace: b}}",
            vec!["ServiceAccount b/a"],
        ),
        ("{apiVersion: v1, kind: ServiceAccount, metadata: {name: a}}", vec!["other"]),
        ("{apiVersion: v1, kind: Secret, metadata: {name: a}}", vec!["Secret shop/a"]),
        ("{apiVersion: apps/v1, kind: Deployment}", vec!["other"]),
        ("replicas: 3", vec!["other"]),
        ("[a, b]", vec!["other"]),
        ("{apiVersion: iam.keyward.dev/v1alpha1, kind: AccessKey}", vec!["AccessKey shop/(without a name)"]),
        (
            "{apiVersion: v1, kind: List, items: [{apiVersion: v1, kind: ConfigMap}, {apiVersion: iam.keyward.dev/v1alpha1, kind: Account, metadata: {name: account}}]}",
            vec!["other", "Account shop/account"],
        ),
        (
            "{apiVersion: iam.keyward.dev/v1alpha1, kind: AccesKey}",
            vec![
                "kind must be one of Account, ServiceAccount, AccessKey, ResourceGrant; it is \"AccesKey\"; did you mean AccessKey?",
            ],
        ),
        (
            "{apiVersion: iam.keyward.dev/v1alpha1}",
            vec!["kind must be one of Account, ServiceAccount, AccessKey, ResourceGrant; it is missing"],
        ),
        (
            "{apiVersion: iam.keyward.dev/v1, kind: AccessKey}",
            vec!["apiVersion must be iam.keyward.dev/v1alpha1; it is \"iam.keyward.dev/v1\""],
        ),
        (
            "{apiVersion: iam.keyword.dev/v1alpha1, kind: AccessKey}",
            vec!["apiVersion must be iam.keyward.dev/v1alpha1; it is \"iam.keyword.dev/v1alpha1\""],
        ),
        (
            "{kind: ResourceGrant, metadata: {name: a}}",
            vec!["apiVersion must be iam.keyward.dev/v1alpha1; it is missing"],
        ),
    ] {
        assert_eq!(sorted(text), expected, "{text}");
    }
}
