//! The same findings in every form.

use crd_check::node::Region;

use super::{github, json, sarif, text};
use crate::validate::finding::{Finding, Report};
use crate::validate::rule::{Rule, Severity};

fn report() -> Report {
    let findings = vec![
        Finding {
            file: "keys/a, b.yaml".into(),
            document: 2,
            region: Region { line: 7, column: 10, end_line: 7, end_column: 13 },
            rule: Rule::FieldValueNotSupported,
            severity: Severity::Error,
            object: Some("AccessKey shop/deploy".into()),
            field: "spec.state".into(),
            message: "must be 100% one of \"Active\": \"Off\"\nis not".into(),
        },
        Finding {
            file: "/etc/ü.yaml".into(),
            document: 1,
            region: Region { line: 1, column: 1, end_line: 3, end_column: 2 },
            rule: Rule::InvalidYaml,
            severity: Severity::Warning,
            object: None,
            field: String::new(),
            message: "is not YAML".into(),
        },
    ];
    Report { findings, checked: 1, others: 2, unread: 1 }
}

#[test]
fn people_read_what_is_wrong_and_where() {
    let plain = anstream::adapter::strip_str(&text::write(&report())).to_string();
    assert_eq!(
        plain,
        "error[FieldValueNotSupported]: spec.state: must be 100% one of \"Active\": \"Off\"\nis not\n  --> keys/a, \
         b.yaml:7:10  AccessKey shop/deploy\nwarning[InvalidYaml]: is not YAML\n  --> /etc/ü.yaml:1:1\n"
    );
    assert_eq!(
        text::summary(&report()),
        "1 manifest checked, 1 error, 1 warning; 2 documents of other kinds passed over; 1 document that is no YAML passed over"
    );
}

#[test]
fn github_gets_lines_that_nothing_can_break() {
    assert_eq!(
        github::write(&report()),
        "::error file=keys/a%2C b.yaml,line=7,col=10,endColumn=13,title=FieldValueNotSupported::AccessKey shop/deploy: \
         spec.state: must be 100%25 one of \"Active\": \"Off\"%0Ais not\n\
         ::warning file=/etc/ü.yaml,line=1,endLine=3,title=InvalidYaml::is not YAML\n"
    );
}

#[test]
fn programs_read_every_part() {
    let written: serde_json::Value = serde_json::from_str(&json::write(&report())).unwrap();
    assert_eq!(
        (&written["checked"], &written["others"], &written["unread"]),
        (&1.into(), &2.into(), &1.into())
    );
    let first = &written["findings"][0];
    assert_eq!(first["rule"], "FieldValueNotSupported");
    assert_eq!(first["severity"], "error");
    assert_eq!((&first["document"], &first["line"], &first["endColumn"]), (&2.into(), &7.into(), &13.into()));
    assert_eq!(written["findings"][1]["object"], serde_json::Value::Null);
}

#[test]
fn code_scanning_finds_the_file_by_its_uri() {
    let written: serde_json::Value = serde_json::from_str(&sarif::write(&report())).unwrap();
    let uri = |at: usize| {
        written["runs"][0]["results"][at]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
            .clone()
    };
    assert_eq!(uri(0), "keys/a%2C%20b.yaml");
    assert_eq!(uri(1), "file:///etc/%C3%BC.yaml");
    let rules = written["runs"][0]["tool"]["driver"]["rules"].as_array().unwrap();
    let index = written["runs"][0]["results"][0]["ruleIndex"].as_u64().unwrap();
    assert_eq!(rules[usize::try_from(index).unwrap()]["id"], "FieldValueNotSupported");
}
