//! Objects as they go to a file or to Git: what the user sets, and nothing that the cluster added.

use clap::ValueEnum;
use serde_json::{Map, Value, json};

use crate::api::names;
use crate::kubectl::cluster::object::{NamespacedObject, reference};
use crate::kubectl::error::Error;
use crate::kubectl::output::format::{json, yaml};

/// What kubectl itself leaves behind.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
/// What of an object's metadata the user sets.
const OWN: [&str; 5] = ["name", "namespace", "labels", "annotations", "finalizers"];

/// How a changed object is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ObjectOutput {
    /// A manifest as YAML, ready for Git.
    Yaml,
    /// A manifest as JSON.
    Json,
    /// Kind and name.
    Name,
}

impl ObjectOutput {
    /// The object in this form.
    pub fn of<K: NamespacedObject>(self, object: &K) -> Result<String, Error> {
        match self {
            Self::Yaml => yaml(&for_git(object)?),
            Self::Json => json(&for_git(object)?),
            Self::Name => Ok(format!("{}\n", reference(object))),
        }
    }
}

/// The object without its status and without what the API server wrote into its metadata. Applied again it
/// changes nothing. That it is switched on is left out, as the default: in Git it would undo a switch-off.
pub fn for_git<K: NamespacedObject>(object: &K) -> Result<Value, Error> {
    let mut value = serde_json::to_value(object)?;
    if let Some(fields) = value.as_object_mut() {
        fields.remove("status");
        if let Some(spec) = fields.get_mut("spec").and_then(Value::as_object_mut)
            && spec.get("state").is_some_and(|state| state == "Active")
        {
            spec.remove("state");
        }
        if let Some(metadata) = fields.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.retain(|name, _| OWN.contains(&name.as_str()));
            // Who created and changed it is stamped anew on whoever applies it.
            for stamp in [names::CHANGED_BY, names::CREATED_BY, LAST_APPLIED] {
                remove_annotation(metadata, stamp);
            }
        }
    }
    Ok(value)
}

fn remove_annotation(metadata: &mut Map<String, Value>, name: &str) {
    let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) else { return };
    annotations.remove(name);
    if annotations.is_empty() {
        metadata.remove("annotations");
    }
}

/// Objects as the API server has them, as kubectl prints them: alone as they are, several as a list.
pub fn as_found<K: NamespacedObject>(mut objects: Vec<K>, one: bool) -> Result<Value, Error> {
    for object in &mut objects {
        object.meta_mut().managed_fields = None;
    }
    let mut values = objects.iter().map(serde_json::to_value).collect::<Result<Vec<_>, _>>()?;
    match values.pop() {
        Some(only) if one && values.is_empty() => Ok(only),
        last => {
            values.extend(last);
            Ok(list(&values))
        }
    }
}

/// A list of objects of whatever kinds.
pub fn list(items: &[Value]) -> Value {
    json!({"apiVersion": "v1", "kind": "List", "items": items})
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{AccessKey, ServiceAccount};

    fn from_json<T: serde::de::DeserializeOwned>(value: Value) -> T {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn a_manifest_for_git_holds_what_the_user_set_and_nothing_else() {
        let key: AccessKey = from_json(json!({
            "apiVersion": "iam.keyward.dev/v1alpha1", "kind": "AccessKey",
            "metadata": {
                "name": "deploy", "namespace": "shop", "uid": "u", "resourceVersion": "7", "generation": 3,
                "creationTimestamp": "2026-11-23T00:00:00Z", "labels": {"team": "a"},
                "annotations": {"iam.keyward.dev/changed-by": "alice", "note": "on", LAST_APPLIED: "{}"},
                "managedFields": [{"manager": "x"}],
                "ownerReferences": [{"apiVersion": "v1", "kind": "X", "name": "x", "uid": "u"}],
            },
            "spec": {"serviceAccountName": "ci", "validFor": "P6M", "state": "Inactive", "revision": 2},
            "status": {"observedGeneration": 3},
        }));
        assert_eq!(
            ObjectOutput::Yaml.of(&key).unwrap(),
            "apiVersion: iam.keyward.dev/v1alpha1\n\
             kind: AccessKey\n\
             metadata:\n  \
               annotations:\n    \
                 note: \"on\"\n  \
               labels:\n    \
                 team: a\n  \
               name: deploy\n  \
               namespace: shop\n\
             spec:\n  \
               revision: 2\n  \
               serviceAccountName: ci\n  \
               state: Inactive\n  \
               validFor: P6M\n"
        );
        assert_eq!(ObjectOutput::Name.of(&key).unwrap(), "accesskey.iam.keyward.dev/deploy\n");
    }

    #[test]
    fn without_annotations_of_the_user_there_are_none() {
        let mut object = ServiceAccount::new("ci", from_json(json!({})));
        object.metadata.annotations = Some([(names::CHANGED_BY.into(), "alice".into())].into());
        assert_eq!(for_git(&object).unwrap()["metadata"], json!({"name": "ci"}));
    }

    #[test]
    fn one_object_stands_alone_and_several_are_a_list() {
        let objects = || vec![ServiceAccount::new("a", from_json(json!({})))];
        assert_eq!(as_found(objects(), true).unwrap()["kind"], "ServiceAccount");
        assert_eq!(as_found(objects(), false).unwrap()["kind"], "List");
        let none = as_found(Vec::<ServiceAccount>::new(), true).unwrap();
        assert_eq!(none, json!({"apiVersion": "v1", "kind": "List", "items": []}));
    }
}
