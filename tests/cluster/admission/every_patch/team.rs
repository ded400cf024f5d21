//! A namespace with one object of each sort, and a client for each user. Nothing is ever changed in it: the
//! API server judges a dry run as it would the real thing.

use std::collections::HashMap;

use http::{HeaderName, HeaderValue};
use keyward::api::{AccessKey, Account, ResourceGrant, ServiceAccount};
use kube::api::{ApiResource, DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PostParams};
use kube::{Api, Client, Config};
use serde_json::{Value, json};

use super::super::super::support::{Scene, Verifier, eventually, from_json};
use super::super::{GROUP, allow, bind, may, rule};
use super::table::{Object, User, Verb};
use crate::support::identity::VERIFIER;

/// A request of a user.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) user: User,
    pub(super) verb: Verb,
    pub(super) object: Object,
    /// The whole object, as `kubectl replace` sends it, rather than a patch.
    pub(super) is_whole: bool,
    /// What is merged into the object.
    pub(super) patch: Value,
}

pub(super) struct Team {
    namespace: String,
    clients: HashMap<User, Client>,
    objects: HashMap<Object, Value>,
}

impl Team {
    /// Prepares all of it, with the rights that the controller and the chart give.
    pub(super) async fn gather() -> Self {
        let (scene, controller) = Scene::with_controller("every-patch").await;
        let verifier = Verifier::start(&scene, &[]).await;
        for name in ["ci", "other"] {
            let token = scene.issued(name).await;
            verifier.answers(&token, 200).await;
        }
        scene.grant("mail", "ci", "App", "mail", json!({})).await;
        let named = |user: User| json!([{"kind": "User", "name": scene_name(&scene, user)}]);
        let admins = json!({"superAdmins": named(User::SuperAdmin), "iamAdmins": named(User::IamAdmin)});
        scene.set::<Account>("account", admins).await;
        scene.set::<ServiceAccount>("ci", json!({"admins": named(User::AdminOfCi)})).await;
        give_rights(&scene).await;
        settled(&scene).await;
        // So that nobody writes anything from here on.
        drop((controller, verifier));
        let mut team =
            Self { namespace: scene.namespace.clone(), clients: HashMap::new(), objects: HashMap::new() };
        for user in User::ALL {
            team.clients.insert(user, client(&scene, user).await);
        }
        for object in Object::ALL {
            let found = team.api(User::Exempt, object).get(object.name()).await.unwrap();
            team.objects.insert(object, serde_json::to_value(found).unwrap());
        }
        team
    }

    /// The object as it is.
    pub(super) fn object(&self, object: Object) -> &Value {
        &self.objects[&object]
    }

    fn api(&self, user: User, object: Object) -> Api<DynamicObject> {
        let kind = match object {
            Object::KeyOfCi | Object::KeyOfOther => ApiResource::erase::<AccessKey>(&()),
            Object::Ci | Object::Other => ApiResource::erase::<ServiceAccount>(&()),
            Object::Account => ApiResource::erase::<Account>(&()),
            Object::Grant => ApiResource::erase::<ResourceGrant>(&()),
        };
        Api::namespaced_with(self.clients[&user].clone(), &self.namespace, &kind)
    }

    /// What the API server answers: the object as it would be, or null where it would be gone.
    pub(super) async fn ask(&self, request: &Request) -> kube::Result<Value> {
        let Request { user, verb, object, is_whole, patch } = request;
        let api = self.api(*user, *object);
        let name = object.name();
        let post = PostParams { dry_run: true, ..PostParams::default() };
        let change = PatchParams { dry_run: true, ..PatchParams::default() };
        let delete = DeleteParams { dry_run: true, ..DeleteParams::default() };
        let merge = Patch::Merge(patch);
        let answer = match (verb, is_whole) {
            (Verb::Create, _) => api.create(&post, &from_json(self.draft(*object, patch))).await,
            (Verb::Change, false) => api.patch(name, &change, &merge).await,
            (Verb::Change, true) => api.replace(name, &post, &from_json(self.merged(*object, patch))).await,
            (Verb::ChangeStatus, false) => api.patch_status(name, &change, &merge).await,
            (Verb::ChangeStatus, true) => {
                api.replace_status(name, &post, &from_json(self.merged(*object, patch))).await
            }
            (Verb::Delete, _) => return api.delete(name, &delete).await.map(|_| Value::Null),
            (Verb::DeleteAll, _) => {
                return api.delete_collection(&delete, &ListParams::default()).await.map(|_| Value::Null);
            }
        };
        answer.map(|object| serde_json::to_value(object).unwrap())
    }

    /// The object with that merged into it.
    fn merged(&self, object: Object, patch: &Value) -> Value {
        let mut whole = self.object(object).clone();
        json_patch::merge(&mut whole, patch);
        whole
    }

    /// One of the same kind, of the same service account.
    fn draft(&self, object: Object, patch: &Value) -> Value {
        let kind = &self.object(object)["kind"];
        let spec = match object {
            Object::KeyOfCi => json!({"serviceAccountName": "ci", "validFor": "P6M"}),
            Object::KeyOfOther => json!({"serviceAccountName": "other", "validFor": "P6M"}),
            Object::Ci | Object::Other | Object::Account => json!({}),
            Object::Grant => self.object(object)["spec"].clone(),
        };
        let mut new = json!({
            "apiVersion": format!("{GROUP}/v1alpha1"), "kind": kind, "metadata": {"name": "new"}, "spec": spec,
        });
        json_patch::merge(&mut new, patch);
        new
    }
}

/// The name by which the API server knows a user.
fn scene_name(scene: &Scene, user: User) -> String {
    match user {
        User::Verifier => format!("system:serviceaccount:{}:{VERIFIER}", scene.namespace),
        User::Controller => format!("system:serviceaccount:{}:keyward-controller", scene.namespace),
        user => format!("{user:?}").to_lowercase(),
    }
}

async fn client(scene: &Scene, user: User) -> Client {
    let mut config = Config::infer().await.unwrap();
    let name = scene_name(scene, user);
    let mut impersonate = |header, value: &str| {
        config.headers.push((HeaderName::from_static(header), HeaderValue::from_str(value).unwrap()));
    };
    impersonate("impersonate-user", &name);
    if user == User::Exempt {
        impersonate("impersonate-group", "system:masters");
    }
    Client::try_from(config).unwrap()
}

/// Those rights that no program gives.
async fn give_rights(scene: &Scene) {
    let [edit, admin, writer] = [User::Edit, User::Admin, User::Writer].map(|user| scene_name(scene, user));
    bind(scene, &edit, "keyward-edit").await;
    bind(scene, &admin, "keyward-edit").await;
    let role = ["create", "rolebinding", "admin", "--clusterrole", "keyward-admin", "--user", &admin];
    scene.kubectl_text(&role);
    may(scene, &admin, "govern", &format!("accounts.{GROUP}/account")).await;
    let verbs =
        ["get", "list", "watch", "create", "update", "patch", "deletecollection", "reveal", "delegate"];
    let kinds = ["accounts", "serviceaccounts", "accesskeys", "resourcegrants"];
    let rules: Vec<Value> = kinds
        .iter()
        .flat_map(|kind| [rule(kind, &[], &verbs), rule(&format!("{kind}/status"), &[], &verbs)])
        .collect();
    allow(scene, &writer, &rules).await;
}

/// Waits until the controller has given its rights, and the programs have written what is looked at.
async fn settled(scene: &Scene) {
    for (user, service_account) in
        [(User::AdminOfCi, "ci"), (User::IamAdmin, "other"), (User::SuperAdmin, "other")]
    {
        let object = format!("serviceaccounts.{GROUP}/{service_account}");
        may(scene, &scene_name(scene, user), "manage", &object).await;
    }
    scene
        .account_once("has its record of use and both admins", |account| {
            account.status.as_ref().is_some_and(|status| {
                status.usage_recorded_since.is_some()
                    && !status.super_admins.is_empty()
                    && !status.iam_admins.is_empty()
            })
        })
        .await;
    for name in ["ci", "other"] {
        scene
            .service_account_once(name, "has a seat and a log", |object| {
                object
                    .status
                    .as_ref()
                    .is_some_and(|status| !status.seats.is_empty() && !status.audit_log.is_empty())
            })
            .await;
        scene
            .key_once(&format!("{name}-key"), "was used", |key| {
                key.status.as_ref().is_some_and(|status| status.last_used_at.is_some())
            })
            .await;
    }
    let grants: Api<ResourceGrant> = scene.api();
    eventually("the grant is looked at", async || {
        let grant = grants.get("mail").await.unwrap();
        if grant.status.is_some() { Ok(()) } else { Err(grant) }
    })
    .await;
}
