//! What the check finds, with its position in a file.

use crd_check::node::Region;

use super::rule::{Rule, Severity};

/// Something to correct.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The file, as it was named.
    pub file: String,
    /// The document of it, counted from 1.
    pub document: usize,
    /// Where in it.
    pub region: Region,
    /// By which rule.
    pub rule: Rule,
    /// How bad it is.
    pub severity: Severity,
    /// The object, as kind, namespace and name; none where it is not known.
    pub object: Option<String>,
    /// The field; empty where it is about the object as a whole.
    pub field: String,
    /// What was given and what is allowed. It never holds a value of a Secret.
    pub message: String,
}

impl Finding {
    /// A finding about a part of a document, of which no object and no field is known.
    pub fn new(file: &str, document: usize, region: Region, rule: Rule, message: String) -> Self {
        let (severity, object, field) = (rule.severity(), None, String::new());
        Self { file: file.to_owned(), document, region, rule, severity, object, field, message }
    }
}

/// All that the check found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// What was found, in the order of files and lines.
    pub findings: Vec<Finding>,
    /// How many manifests of Keyward's kinds there are.
    pub checked: usize,
    /// How many other documents there are, which were passed over.
    pub others: usize,
    /// How many documents are no YAML and were passed over, since nothing in their files is of Keyward's
    /// group.
    pub unread: usize,
}

impl Report {
    /// How many findings are of that severity.
    pub fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|finding| finding.severity == severity).count()
    }
}
