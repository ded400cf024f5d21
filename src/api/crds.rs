//! The CustomResourceDefinitions as they are installed: generated from the types, with what a derive cannot say.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::CustomResourceExt;
use serde_json::{Value, json};

use super::{AccessKey, Account, ServiceAccount};

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
    [Account::crd(), ServiceAccount::crd(), AccessKey::crd()]
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
    Ok(format!(
        "---\n{}",
        serde_yaml::to_string(&serde_json::to_value(crd)?)?
    ))
}

fn finish(crd: CustomResourceDefinition) -> Result<CustomResourceDefinition, Error> {
    let mut value = serde_json::to_value(crd)?;
    // kstatus takes an object without a status for finished; the default says that nobody has looked yet.
    if let Some(status) = value.pointer_mut("/spec/versions/0/schema/openAPIV3Schema/properties/status") {
        status["default"] = json!({ "observedGeneration": super::shared::never_observed() });
    }
    if let Some(versions) = value.pointer_mut("/spec/versions") {
        drop_nullable(versions);
    }
    Ok(serde_json::from_value(value)?)
}

/// `Option` makes a field nullable, but here "not given" has one spelling: the field is left out.
fn drop_nullable(value: &mut Value) {
    match value {
        Value::Object(map) => {
            if map.get("nullable") == Some(&Value::Bool(true)) {
                map.remove("nullable");
            }
            map.values_mut().for_each(drop_nullable);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_nullable),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
