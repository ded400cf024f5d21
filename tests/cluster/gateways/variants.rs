//! What else may be set in a configuration without anybody getting in who should not, or being kept out.

use http::Method;

use crate::gateways::cases::Stage;
use crate::gateways::gateway::{Edit, Kind, Running};

const GRPC_SERVICE: &str = "                      grpc_service:";
const RAW_HEADERS: Edit =
    (GRPC_SERVICE, "                      encode_raw_headers: true\n                      grpc_service:");
const WITH_BODY: Edit = (
    GRPC_SERVICE,
    "                      with_request_body: {max_request_bytes: 1048576, allow_partial_message: true}\n                      grpc_service:",
);
const LOCATION: &str = "        location / {";
const LONG_BODIES: Edit = (LOCATION, "        location / {\n            client_max_body_size 100m;");

impl Stage {
    pub async fn variants_of_the_configuration(&mut self, verifier: &str) {
        match self.gateway.kind {
            Kind::Nginx => {
                assert_eq!(self.upload(1_500_000).await, 413, "nginx takes 1 MB by default");
                self.with(verifier, &[LONG_BODIES]).await;
                assert_eq!(self.upload(1_500_000).await, 200);
            }
            Kind::EnvoyGrpc => {
                for edits in [&[RAW_HEADERS][..], &[WITH_BODY], &[RAW_HEADERS, WITH_BODY]] {
                    self.with(verifier, edits).await;
                    self.who_is_let_in().await;
                    self.who_is_refused().await;
                    self.what_is_sent_twice_or_empty().await;
                    assert_eq!(self.upload(1_500_000).await, 200);
                }
            }
            Kind::EnvoyHttp | Kind::Traefik | Kind::Caddy => assert_eq!(self.upload(1_500_000).await, 200),
        }
    }

    /// Has another gateway stand for the one before.
    async fn with(&mut self, verifier: &str, edits: &[Edit]) {
        let name = format!("{}-variant", self.scene.namespace);
        self.gateway = Running::start(self.gateway.kind, &name, verifier, &self.application.address, edits);
        self.answers("/", &self.keys.good, 200).await;
    }

    async fn upload(&self, bytes: usize) -> u16 {
        let headers = [("x-api-key", self.keys.good.reveal())];
        self.ask(Method::POST, "/reports", &headers, &"x".repeat(bytes)).await.status
    }
}
