//! The `CustomResourceDefinitions` as they are installed: generated from the types, with what a derive cannot
//! say.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::CustomResourceExt;
use serde_json::{Value, json};

use super::{AccessKey, Account, ResourceGrant, ServiceAccount};

/// Why the CRDs could not be made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The generated schema is not one that Kubernetes' type can hold.
    #[error("the generated schema is not a CustomResourceDefinition")]
    Schema(#[from] serde_json::Error),
    /// The YAML writer refused it.
    #[error("the CustomResourceDefinition cannot be written as YAML")]
    Yaml(#[from] serde_yaml::ser_error::Error),
}

/// Every CRD, in the order in which to install them.
///
/// # Errors
/// When the schema does not fit Kubernetes' own type, which would be a mistake in this program.
pub fn all() -> Result<Vec<CustomResourceDefinition>, Error> {
    [Account::crd(), ServiceAccount::crd(), AccessKey::crd(), ResourceGrant::crd()]
        .into_iter()
        .map(finish)
        .collect()
}

/// Every CRD as one YAML stream.
///
/// # Errors
/// As [`all`].
pub fn yaml() -> Result<String, Error> {
    let documents = all()?.iter().map(document).collect::<Result<Vec<_>, _>>()?;
    Ok(documents.concat())
}

/// One CRD as a YAML document.
///
/// # Errors
/// When the YAML writer refuses it.
pub fn document(crd: &CustomResourceDefinition) -> Result<String, Error> {
    Ok(format!("---\n{}", serde_yaml::to_string(&serde_json::to_value(crd)?)?))
}

fn finish(crd: CustomResourceDefinition) -> Result<CustomResourceDefinition, Error> {
    let mut value = serde_json::to_value(crd)?;
    // kstatus takes an object without a status for finished; the default says that nobody has looked yet.
    if let Some(status) = value.pointer_mut("/spec/versions/0/schema/openAPIV3Schema/properties/status") {
        status["default"] = json!({ "observedGeneration": super::shared::never_observed() });
    }
    if let Some(schema) = value.pointer_mut("/spec/versions/0/schema/openAPIV3Schema") {
        default_spec(schema);
    }
    if let Some(versions) = value.pointer_mut("/spec/versions") {
        tidy(versions);
    }
    Ok(serde_json::from_value(value)?)
}

/// A spec that asks for nothing may be left out.
fn default_spec(schema: &mut Value) {
    let asks_for_nothing = schema.pointer("/properties/spec/required").is_none();
    if asks_for_nothing && let Some(spec) = schema.pointer_mut("/properties/spec") {
        spec["default"] = json!({});
        // It was the only required field, and an empty list would be dropped by the API server: a standing
        // difference.
        if let Some(schema) = schema.as_object_mut() {
            schema.remove("required");
        }
    }
}

/// Two things that a derive does and a reader of the schema should not see. `Option` makes a field nullable,
/// but here "not given" has one spelling: the field is left out. And a doc comment's lines end where the
/// source's do.
fn tidy(value: &mut Value) {
    match value {
        Value::Object(map) => {
            if map.get("nullable") == Some(&Value::Bool(true)) {
                map.remove("nullable");
            }
            if let Some(Value::String(text)) = map.get_mut("description") {
                *text = unwrapped(text);
            }
            map.values_mut().for_each(tidy);
        }
        Value::Array(items) => items.iter_mut().for_each(tidy),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Each paragraph on one line.
fn unwrapped(text: &str) -> String {
    text.split("\n\n").map(|paragraph| paragraph.replace('\n', " ")).collect::<Vec<_>>().join("\n\n")
}
