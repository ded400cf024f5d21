//! Files, and what is found in them.

mod crds;

use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use proptest::prelude::*;

use super::finding::Report;
use super::rule::Rule;
use super::{Checker, File, Options, report};

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

static CHECKER: LazyLock<Checker> = LazyLock::new(|| Checker::new().unwrap());

fn check(texts: &[(&str, &str)]) -> Report {
    let files: Vec<File> = texts
        .iter()
        .map(|(name, text)| File { name: (*name).to_owned(), text: (*text).to_owned() })
        .collect();
    CHECKER.check(&files, None, &Options::default(), at("2026-11-25T12:00:00Z"))
}

const ACCOUNT: &str = "apiVersion: iam.keyward.dev/v1alpha1\nkind: ServiceAccount\nmetadata:\n  name: ci\n";

#[test]
fn the_same_object_twice_is_reported_at_the_second() {
    let report = check(&[("a.yaml", ACCOUNT), ("b.yaml", &format!("# again\n---\n{ACCOUNT}"))]);
    let found: Vec<_> =
        report.findings.iter().map(|f| (f.file.as_str(), f.region.line, f.message.as_str())).collect();
    assert_eq!(
        found,
        [(
            "b.yaml",
            6,
            "the same object stands in a.yaml:4 (document 1) already; this one would take its place"
        )]
    );
    assert_eq!(report.findings[0].rule, Rule::DuplicateObject);
}

#[test]
fn what_is_not_keywards_is_counted_and_passed_over() {
    let report = check(&[
        ("a.yaml", &format!("{ACCOUNT}---\napiVersion: v1\nkind: ConfigMap\ndata: {{a: 1, a: 2}}\n")),
        ("b.yaml", "kind: Deployment\nname: {{ .Values.name }}\n"),
        ("c.json", "{\"a\": 1}"),
        ("d.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\n"),
    ]);
    assert_eq!(report, Report { findings: vec![], checked: 1, others: 3, unread: 1 });
    let template = check(&[("t.yaml", "apiVersion: iam.keyward.dev/v1alpha1\nkind: {{ .Values.kind }}\n")]);
    assert_eq!(
        template.findings.iter().map(|f| (f.rule, f.region.line)).collect::<Vec<_>>(),
        [(Rule::InvalidYaml, 2)]
    );
}

#[test]
fn a_template_is_called_one() {
    let text = "# iam.keyward.dev\nkind: AccessKey\nmetadata:\n  name: {{ .Values.name }}\n";
    let report = check(&[("t.yaml", text)]);
    let found: Vec<_> = report
        .findings
        .iter()
        .map(|f| (f.document, f.region.line, f.region.column, f.message.as_str()))
        .collect();
    assert_eq!(
        found,
        [(
            1,
            4,
            10,
            "a key must be a text, not a list or a map; this looks like a template, which is to be rendered first, as in: \
             helm template CHART | keyward validate -"
        )]
    );
}

#[test]
fn an_object_that_the_controller_could_not_read_is_reported() {
    let key = "apiVersion: iam.keyward.dev/v1alpha1\nkind: AccessKey\nmetadata: {name: k}\n\
               spec: {serviceAccountName: ci, expiresAt: '2027-12-31T00:00:00+24:00'}\n";
    let report = check(&[("a.yaml", ACCOUNT), ("b.yaml", key)]);
    let found: Vec<_> = report.findings.iter().map(|f| (f.rule, f.message.as_str())).collect();
    assert_eq!(found, [(Rule::Unreadable, "the controller cannot read it: input is out of range")]);
}

#[test]
fn a_token_in_a_file_is_found_and_not_shown() {
    let token = crate::domain::value::token::Token::from_random(&(0..=255).collect::<Vec<u8>>()).unwrap();
    let text = token.reveal();
    let base64 = serde_json::to_value(k8s_openapi::ByteString(text.as_bytes().to_vec())).unwrap();
    let secret = format!("apiVersion: v1\nkind: Secret\nmetadata: {{name: a}}\ndata: {{t: {base64}}}\n");
    let plain = format!("apiVersion: v1\nkind: ConfigMap\ndata: {{t: 'x {text}'}}\n");
    let report = check(&[("a.yaml", &secret), ("b.yaml", &plain)]);
    let found: Vec<_> = report.findings.iter().map(|f| (f.file.as_str(), f.rule, f.region.line)).collect();
    assert_eq!(found, [("a.yaml", Rule::TokenInManifest, 4), ("b.yaml", Rule::TokenInManifest, 3)]);
    for written in outputs(&report) {
        assert!(!written.contains(text));
        assert!(written.contains(token.id()), "its public id is");
    }
}

fn outputs(report: &Report) -> [String; 5] {
    [
        report::text::write(report),
        report::json::write(report),
        report::github::write(report),
        report::sarif::write(report),
        format!("{report:?}"),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn nothing_of_a_secret_is_ever_shown(value in "hidden[a-z]{20}", broken in prop::sample::select(vec!["", "\": ]", "'", "\n  x: y"])) {
        let secret = format!(
            "# iam.keyward.dev\napiVersion: v1\nkind: Secret\nmetadata: {{name: ci-key}}\nstringData:\n  a: {value}{broken}\n  a: {value}\ndata:\n  {value}: [{value}\n"
        );
        let key = format!(
            "apiVersion: iam.keyward.dev/v1alpha1\nkind: AccessKey\nmetadata: {{name: k}}\nspec: {{serviceAccountName: ci, \
             validFor: P6M, secret: {{name: ci-key, data: {{a: {value}, b: [{value}]}}}}, publish: [{{name: ci-key, data: \
             {{a: {value}{}}}}}]}}\n", value.repeat(300)
        );
        let report = check(&[("a.yaml", &secret), ("b.yaml", &key), ("c.yaml", &secret.replace('[', ""))]);
        for written in outputs(&report) {
            prop_assert!(!written.contains(&value), "{}", written);
        }
    }

    #[test]
    fn the_same_files_give_the_same_report(texts in prop::collection::vec("[a-z:{}\\[\\] \n-]{0,40}", 0..4)) {
        let named: Vec<(String, String)> =
            texts.iter().enumerate().map(|(at, text)| (format!("{at}.yaml"), format!("{ACCOUNT}spec: {{icon: [{text}]}}\n"))).collect();
        let files: Vec<(&str, &str)> = named.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        prop_assert_eq!(check(&files), check(&files));
    }
}

#[test]
fn fuzzed_files_are_checked_to_their_end() {
    let key = "apiVersion: iam.keyward.dev/v1alpha1\nkind: AccessKey\nmetadata: {name: k}\nspec:\n  serviceAccountName: ci\n  \
               validFor: P6M\n  secret:\n    data: {t: \"$(token)\"}\n";
    let tricks =
        "a: &a [*a, 0x1F, .inf, 2026-01-01, ~, yes, \"\\u0000\"]\n? b\n: |+\n  c\n...\n---\n{d: e}\n";
    crate::fuzz::texts(&[key, ACCOUNT, tricks], |text| {
        let report = check(&[("fuzzed.yaml", text)]);
        let lines = text.lines().count() + 1;
        assert!(report.findings.iter().all(|finding| finding.region.line <= lines));
    });
}
