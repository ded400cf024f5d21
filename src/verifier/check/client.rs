//! Who sends a request: whose address an audit line names, and whose failures count against it.

use std::net::{IpAddr, Ipv6Addr};

use ipnet::IpNet;

/// The bits of an IPv6 address that a subscriber does not choose.
const SUBSCRIBER: u128 = u128::MAX << 64;

/// The sender of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Client {
    /// One that asks for itself, or that a trusted gateway named: its failures slow it down.
    Own(IpAddr),
    /// One that asks for others, as the API server and trusted applications do. Only it knows whom to slow
    /// down.
    Relay(IpAddr),
    /// Nobody knows.
    Unknown,
}

impl Client {
    /// The address, for audit lines.
    pub fn address(self) -> Option<IpAddr> {
        match self {
            Self::Own(address) | Self::Relay(address) => Some(address),
            Self::Unknown => None,
        }
    }

    /// Whose failures are counted: an IPv4 address, also where it is mapped into IPv6, or the 64 leading
    /// bits of an IPv6 address. One subscriber has at least so many addresses, and may use each once.
    pub(super) fn throttled(self) -> Option<IpAddr> {
        match self {
            Self::Own(address) => Some(match address.to_canonical() {
                IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & SUBSCRIBER).into(),
                address @ IpAddr::V4(_) => address,
            }),
            Self::Relay(_) | Self::Unknown => None,
        }
    }
}

/// The peers whose word on their clients is believed.
#[derive(Debug, Default)]
pub struct TrustedProxies(Vec<IpNet>);

impl TrustedProxies {
    /// Those in `networks`.
    pub fn new(networks: Vec<IpNet>) -> Self {
        Self(networks)
    }

    /// The client of a gateway: the one that `named` gives, where the peer is believed, or else the peer
    /// itself.
    pub(in crate::verifier) fn client(&self, peer: IpAddr, named: impl FnOnce() -> Option<IpAddr>) -> Client {
        Client::Own(if self.trusts(peer) { named().unwrap_or(peer) } else { peer })
    }

    /// An application that asks. A trusted one asks for others.
    pub(in crate::verifier) fn application(&self, peer: IpAddr) -> Client {
        if self.trusts(peer) { Client::Relay(peer) } else { Client::Own(peer) }
    }

    fn trusts(&self, peer: IpAddr) -> bool {
        let peer = peer.to_canonical();
        self.0.iter().any(|network| network.contains(&peer))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trusted() -> TrustedProxies {
        TrustedProxies::new(vec!["192.0.2.0/24".parse().unwrap()])
    }

    #[test]
    fn only_a_trusted_gateway_is_believed_who_asks() {
        let named = || "203.0.113.9".parse().ok();
        let client = |peer: &str| {
            let client = trusted().client(peer.parse().unwrap(), named);
            client.address().unwrap().to_string()
        };
        assert_eq!(client("192.0.2.7"), "203.0.113.9");
        assert_eq!(client("::ffff:192.0.2.7"), "203.0.113.9");
        assert_eq!(client("198.51.100.1"), "198.51.100.1");
    }

    #[test]
    fn who_asks_for_others_is_not_throttled() {
        let application = |peer: &str| trusted().application(peer.parse().unwrap());
        assert_eq!(application("192.0.2.7").throttled(), None);
        assert_eq!(application("::ffff:198.51.100.1").throttled(), "198.51.100.1".parse().ok());
        assert_eq!(application("2001:db8::1:2:3:4").throttled(), "2001:db8::".parse().ok());
        assert_eq!(Client::Unknown.throttled(), None);
    }
}
