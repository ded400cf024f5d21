//! A status as a merge patch (RFC 7396) that leaves nothing of what anybody else wrote into it: what is not
//! wanted is named as null. Which fields there are is read from the CRD's own schema.

use std::sync::LazyLock;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::JSONSchemaProps;
use kube::CustomResourceExt;
use serde_json::{Map, Value};

use crate::api::{AccessKey, Account, Kind, ResourceGrant, ServiceAccount};

/// The fields of an object, with those of the objects in them; a list or a plain value has none.
#[derive(Clone, Debug, Default)]
struct Fields(Vec<(String, Fields)>);

impl Fields {
    fn of(schema: &JSONSchemaProps) -> Self {
        let properties = schema.properties.iter().flatten();
        Self(properties.map(|(name, schema)| (name.clone(), Self::of(schema))).collect())
    }

    fn of_status<K: CustomResourceExt>() -> Self {
        let versions = K::crd().spec.versions.into_iter();
        let schemas = versions.filter_map(|version| version.schema?.open_api_v3_schema?.properties);
        let mut status = schemas.filter_map(|mut properties| properties.remove("status"));
        status.next().map(|schema| Self::of(&schema)).unwrap_or_default()
    }

    /// Names every field in `wanted`, as null where it is not there.
    fn complete(&self, wanted: &mut Map<String, Value>, left: &[&str]) {
        for (name, fields) in self.0.iter().filter(|(name, _)| !left.contains(&name.as_str())) {
            if let Value::Object(inner) = wanted.entry(name).or_insert(Value::Null) {
                fields.complete(inner, &[]);
            }
        }
    }
}

fn fields(kind: Kind) -> Option<&'static Fields> {
    static ACCESS_KEY: LazyLock<Fields> = LazyLock::new(Fields::of_status::<AccessKey>);
    static SERVICE_ACCOUNT: LazyLock<Fields> = LazyLock::new(Fields::of_status::<ServiceAccount>);
    static ACCOUNT: LazyLock<Fields> = LazyLock::new(Fields::of_status::<Account>);
    static RESOURCE_GRANT: LazyLock<Fields> = LazyLock::new(Fields::of_status::<ResourceGrant>);
    match kind {
        Kind::AccessKey => Some(&ACCESS_KEY),
        Kind::ServiceAccount => Some(&SERVICE_ACCOUNT),
        Kind::Account => Some(&ACCOUNT),
        Kind::ResourceGrant => Some(&RESOURCE_GRANT),
        Kind::ResourceQuota | Kind::Role | Kind::RoleBinding | Kind::Secret => None,
    }
}

/// The status of an object of that kind as a merge patch. The fields in `left` are others' to write.
pub(super) fn patch(kind: Kind, mut status: Value, left: &[&str]) -> Value {
    if let (Some(fields), Value::Object(wanted)) = (fields(kind), &mut status) {
        for name in left {
            wanted.remove(*name);
        }
        fields.complete(wanted, left);
    }
    status
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_not_wanted_is_null_at_every_depth_but_for_what_others_write() {
        let status = json!({
            "observedGeneration": 1, "lastUsedAt": "2026-01-01T00:00:00Z",
            "token": {"id": "k1", "sha256": "h"},
            "conditions": [{"type": "Ready"}],
        });
        let patch = patch(Kind::AccessKey, status, &["lastUsedAt"]);
        let null = |pointer: &str| patch.pointer(pointer) == Some(&Value::Null);
        for pointer in ["/nextToken", "/previousToken", "/serial", "/seal", "/auditLog", "/token/expiresAt"] {
            assert!(null(pointer), "{pointer}: {patch}");
        }
        assert_eq!(patch.get("lastUsedAt"), None);
        assert_eq!(patch["token"]["id"], "k1");
        assert_eq!(patch["conditions"], json!([{"type": "Ready"}]));
    }

    #[test]
    fn every_kind_with_a_status_has_fields() {
        for kind in [Kind::AccessKey, Kind::ServiceAccount, Kind::Account, Kind::ResourceGrant] {
            assert!(patch(kind, json!({}), &[])["conditions"].is_null(), "{kind:?}");
            assert!(patch(kind, json!({}), &[]).as_object().is_some_and(|patch| patch.len() > 1), "{kind:?}");
        }
    }
}
