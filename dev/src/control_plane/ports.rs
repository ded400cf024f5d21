//! Free ports on loopback.

use std::io;
use std::net::{Ipv4Addr, TcpListener};

/// The ports of one control plane.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ports {
    pub(crate) etcd: u16,
    pub(crate) api_server: u16,
    pub(crate) controller_manager: u16,
    /// Where the API server asks about tokens; whoever answers takes it.
    pub(crate) token_webhook: u16,
}

impl Ports {
    /// Ports that were free just now; another process may still take one before it is used.
    pub(crate) fn pick() -> io::Result<Self> {
        let listen = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
        // All are held until all are chosen, so no two are the same.
        let held = [listen()?, listen()?, listen()?, listen()?];
        let [etcd, api_server, controller_manager, token_webhook] = &held;
        let port = |listener: &TcpListener| listener.local_addr().map(|address| address.port());
        Ok(Self {
            etcd: port(etcd)?,
            api_server: port(api_server)?,
            controller_manager: port(controller_manager)?,
            token_webhook: port(token_webhook)?,
        })
    }
}
