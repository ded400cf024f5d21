//! The schema of `metadata`, which a CRD leaves out since all kinds share it.

use std::sync::LazyLock;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::JSONSchemaProps;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use schemars::generate::SchemaSettings;

/// The schema, with what it refers to written out.
pub static SCHEMA: LazyLock<JSONSchemaProps> = LazyLock::new(|| {
    let settings = SchemaSettings::draft07().with(|settings| settings.inline_subschemas = true);
    let schema = settings.into_generator().into_root_schema_for::<ObjectMeta>();
    // Kubernetes' own types describe themselves in the words that its own schemas know.
    serde_json::from_value(schema.to_value()).unwrap_or_default()
});

#[cfg(test)]
mod tests {
    use super::SCHEMA;

    #[test]
    fn it_describes_every_field() {
        let fields = SCHEMA.properties.as_ref().unwrap();
        for name in ["name", "namespace", "labels", "annotations", "ownerReferences", "managedFields"] {
            assert!(fields[name].description.as_ref().is_some_and(|text| text.len() > 20), "{name}");
        }
        assert_eq!(SCHEMA.type_.as_deref(), Some("object"));
    }
}
