//! A namespace to test in, and what tests do there.

use std::fmt::Debug;
use std::process::Output;
use std::sync::atomic::{AtomicU32, Ordering};

use k8s_openapi::api::core::v1::{Namespace, Secret};
use k8s_openapi::api::events::v1::Event;
use keyward::api::{AccessKey, Account, ResourceGrant, ServiceAccount, names};
use keyward::domain::value::token::Token;
use kube::api::{ListParams, Patch, PatchParams, PostParams};
use kube::{Api, Client, Resource, ResourceExt};
use serde_json::{Value, json};

use super::command::{run, text};
use super::install::{install_crds, install_policies};
use super::objects::{from_json, key_reason, ready_reason, token_of};
use super::wait::eventually;

/// A namespace to test in.
pub struct Scene {
    pub client: Client,
    pub namespace: String,
}

impl Scene {
    pub async fn new(name: &str) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        install_crds();
        install_policies().await;
        let client = Client::try_default().await.unwrap();
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let namespace = format!("{name}-{}-{number}", std::process::id());
        let object: Namespace = from_json(json!({"metadata": {"name": namespace}}));
        Api::all(client.clone()).create(&PostParams::default(), &object).await.unwrap();
        Self { client, namespace }
    }

    pub fn api<K>(&self) -> Api<K>
    where
        K: Resource<DynamicType = (), Scope = kube::core::NamespaceResourceScope>,
    {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    pub async fn service_account(&self, name: &str) -> ServiceAccount {
        let object = ServiceAccount::new(name, from_json(json!({})));
        self.api().create(&PostParams::default(), &object).await.unwrap()
    }

    pub async fn key(&self, name: &str, service_account: &str) -> AccessKey {
        self.key_with(name, service_account, json!({"validFor": "P6M"})).await
    }

    pub async fn key_with(&self, name: &str, service_account: &str, mut spec: Value) -> AccessKey {
        spec["serviceAccountName"] = json!(service_account);
        self.api().create(&PostParams::default(), &AccessKey::new(name, from_json(spec))).await.unwrap()
    }

    /// A grant with the role Member, unless `more` says otherwise.
    pub async fn grant(
        &self,
        name: &str,
        service_account: &str,
        category: &str,
        resource: &str,
        more: Value,
    ) {
        let mut spec = json!({
            "serviceAccountName": service_account,
            "resource": {"category": category, "name": resource}, "role": "Member",
        });
        spec.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let object = ResourceGrant::new(name, from_json(spec));
        self.api().create(&PostParams::default(), &object).await.unwrap();
    }

    /// An account whose keys may live for seconds.
    pub async fn short_lived(&self) {
        self.limits(json!({"minValidFor": "PT1S"})).await;
    }

    pub async fn limits(&self, limits: Value) {
        let account = json!({
            "apiVersion": "iam.keyward.dev/v1alpha1", "kind": "Account",
            "metadata": {"name": "account"}, "spec": {"limits": limits},
        });
        let params = PatchParams::apply("test").force();
        self.api::<Account>().patch("account", &params, &Patch::Apply(account)).await.unwrap();
    }

    pub async fn set<K>(&self, name: &str, spec: Value) -> K
    where
        K: Resource<DynamicType = (), Scope = kube::core::NamespaceResourceScope>
            + Clone
            + Debug
            + serde::de::DeserializeOwned,
    {
        let patch = Patch::Merge(json!({"spec": spec}));
        self.api::<K>().patch(name, &PatchParams::default(), &patch).await.unwrap()
    }

    pub async fn get<K>(&self, name: &str) -> K
    where
        K: Resource<DynamicType = (), Scope = kube::core::NamespaceResourceScope>
            + Clone
            + Debug
            + serde::de::DeserializeOwned,
    {
        self.api::<K>().get(name).await.unwrap()
    }

    /// The key, once its Ready condition has that reason.
    pub async fn key_when(&self, name: &str, reason: &str) -> AccessKey {
        self.key_once(name, &format!("has reason {reason}"), |key| key_reason(key) == reason).await
    }

    pub async fn key_once(&self, name: &str, what: &str, is_so: impl Fn(&AccessKey) -> bool) -> AccessKey {
        let keys = self.api::<AccessKey>();
        eventually(&format!("key {name} {what}"), async || {
            let key = keys.get_opt(name).await.unwrap();
            key.as_ref().filter(|key| is_so(key)).cloned().ok_or(key.map(|key| key.status))
        })
        .await
    }

    pub async fn service_account_when(&self, name: &str, reason: &str) -> ServiceAccount {
        self.service_account_once(name, &format!("has reason {reason}"), |object| {
            let conditions =
                object.status.as_ref().map(|status| status.conditions.as_slice()).unwrap_or_default();
            ready_reason(conditions) == reason
        })
        .await
    }

    pub async fn service_account_once(
        &self,
        name: &str,
        what: &str,
        is_so: impl Fn(&ServiceAccount) -> bool,
    ) -> ServiceAccount {
        let objects = self.api::<ServiceAccount>();
        eventually(&format!("service account {name} {what}"), async || {
            let object = objects.get_opt(name).await.unwrap();
            object.as_ref().filter(|object| is_so(object)).cloned().ok_or(object.map(|object| object.status))
        })
        .await
    }

    pub async fn account_once(&self, what: &str, is_so: impl Fn(&Account) -> bool) -> Account {
        let accounts = self.api::<Account>();
        eventually(&format!("account {what}"), async || {
            let account = accounts.get_opt("account").await.unwrap();
            account
                .as_ref()
                .filter(|account| is_so(account))
                .cloned()
                .ok_or(account.map(|account| account.status))
        })
        .await
    }

    /// The token in a Secret, which the caller must not print.
    pub async fn token(&self, secret: &str) -> Token {
        token_of(&self.get::<Secret>(secret).await, "token").expect("the Secret holds a token")
    }

    /// The token of a new key `<service account>-key` of a new service account, once a controller has issued
    /// it.
    pub async fn issued(&self, service_account: &str) -> Token {
        self.service_account(service_account).await;
        let key = format!("{service_account}-key");
        self.key(&key, service_account).await;
        self.key_when(&key, "Issued").await;
        self.token(&key).await
    }

    pub async fn keys(&self) -> Vec<AccessKey> {
        self.api().list(&ListParams::default()).await.unwrap().items
    }

    /// The Secrets that Keyward wrote for keys.
    pub async fn secrets(&self) -> Vec<Secret> {
        let of_keyward = ListParams::default().labels(&format!("{}={}", names::MANAGED_BY, names::KEYWARD));
        self.api().list(&of_keyward).await.unwrap().items
    }

    /// Reasons of the Events on an object, oldest first.
    pub async fn event_reasons(&self, object: &impl ResourceExt) -> Vec<String> {
        let mut events: Vec<Event> = self.api::<Event>().list(&ListParams::default()).await.unwrap().items;
        events.retain(|event| {
            event.regarding.as_ref().and_then(|object| object.uid.as_deref()) == object.uid().as_deref()
        });
        events.sort_by_key(|event| event.event_time.as_ref().map(|time| time.0));
        events.into_iter().filter_map(|event| event.reason).collect()
    }

    /// The name by which the API server knows the tests themselves.
    pub fn me(&self) -> String {
        self.kubectl_text(&["auth", "whoami", "-o", "jsonpath={.status.userInfo.username}"])
    }

    /// kubectl in the namespace, as an administrator.
    pub fn kubectl(&self, arguments: &[&str]) -> Output {
        self.kubectl_with(arguments, "")
    }

    /// As [`Self::kubectl`], with standard input.
    pub fn kubectl_with(&self, arguments: &[&str], input: &str) -> Output {
        let arguments: Vec<&str> =
            ["-n", &self.namespace].into_iter().chain(arguments.iter().copied()).collect();
        run("kubectl", &arguments, input)
    }

    /// kubectl in the namespace, as a user that has the rights that RBAC gives.
    pub fn kubectl_as(&self, user: &str, arguments: &[&str]) -> Output {
        self.kubectl(&[&["--as", user], arguments].concat())
    }

    /// What kubectl prints; it must succeed.
    pub fn kubectl_text(&self, arguments: &[&str]) -> String {
        text(&self.kubectl(arguments))
    }
}
