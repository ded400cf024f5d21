//! One manifest against the schema of its kind, as the API server checks it: unknown fields, as `kubectl
//! --validate=strict` finds them, then the schema with its defaults, then the CEL rules.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::JSONSchemaProps;

use crate::cel::{self, Rules};
use crate::metadata;
use crate::node::{Entry, Node, Value};
use crate::path::Path;
use crate::schema::defaults::complete;
use crate::schema::{unknown_fields, values};
use crate::violation::Violation;

/// The schema of a kind with its rules compiled.
pub struct SchemaChecker {
    schema: JSONSchemaProps,
    rules: Rules,
}

/// What came out for a manifest.
pub struct Checked {
    /// What is wrong with it.
    pub violations: Vec<Violation>,
    /// It as the API server would keep it: with defaults, and without what the schema does not know.
    pub kept: Node,
}

impl SchemaChecker {
    /// Takes the schema of one version of a CRD; [`crate::schema::of`] gives it.
    ///
    /// # Errors
    /// When one of its rules cannot be compiled.
    pub fn new(schema: JSONSchemaProps) -> Result<Self, cel::Error> {
        let rules = Rules::compile(&schema)?;
        Ok(Self { schema, rules })
    }

    /// Checks a manifest; `old`, where there is one, is what it would replace.
    pub fn check(&self, root: &Node, old: Option<&Node>) -> Checked {
        let Self { schema, rules } = self;
        let mut violations = Vec::new();
        let (own, common) = split(root);
        unknown_fields::check(schema, &own, &Path::default(), &mut violations);
        metadata::check(root, &mut violations);
        let own = without_status(&complete(&own, schema));
        values::check(schema, &own, &Path::default(), &mut violations);
        let kept = joined(&own, common);
        if !violations.iter().any(|violation| violation.rule.precludes_cel()) {
            let old = old.map(|old| {
                let (own, common) = split(old);
                joined(&without_status(&complete(&own, schema)), common)
            });
            rules.check(schema, (&kept, old.as_ref()), &Path::default(), &mut violations);
        }
        Checked { violations, kept }
    }
}

/// What the kind's own schema is about, and what all kinds have.
fn split(root: &Node) -> (Node, Vec<Entry>) {
    let is_common = |entry: &Entry| ["apiVersion", "kind", "metadata"].contains(&entry.key.as_str());
    let (common, own): (Vec<Entry>, Vec<Entry>) = root.entries().iter().cloned().partition(is_common);
    (Node { region: root.region, value: Value::Map(own) }, common)
}

fn joined(own: &Node, common: Vec<Entry>) -> Node {
    let entries = common.into_iter().chain(own.entries().iter().cloned()).collect();
    Node { region: own.region, value: Value::Map(entries) }
}

/// A status that is applied is passed over in silence, so it is not looked at.
fn without_status(own: &Node) -> Node {
    let entries = own.entries().iter().filter(|entry| entry.key != "status").cloned().collect();
    Node { region: own.region, value: Value::Map(entries) }
}
