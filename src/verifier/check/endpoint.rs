//! The closed list of endpoints, as audit lines and metrics name them.

use strum::VariantArray;

/// Where a request comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, VariantArray)]
pub enum Endpoint {
    /// `/auth`, as any application or gateway may use it.
    Auth,
    /// `/auth/nginx`.
    Nginx,
    /// `/auth/traefik`.
    Traefik,
    /// `/auth/caddy`.
    Caddy,
    /// `/auth/envoy`.
    Envoy,
    /// Envoy's gRPC service.
    Grpc,
    /// `/v1/verify`.
    Verify,
    /// `/tokenreview`.
    TokenReview,
}

impl Endpoint {
    /// All of them.
    pub const ALL: &[Self] = Self::VARIANTS;

    /// The endpoint's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::Nginx => "nginx",
            Self::Traefik => "traefik",
            Self::Caddy => "caddy",
            Self::Envoy => "envoy",
            Self::Grpc => "grpc",
            Self::Verify => "verify",
            Self::TokenReview => "tokenreview",
        }
    }
}
