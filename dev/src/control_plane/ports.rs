//! Free ports on loopback.

use std::io;
use std::net::{Ipv4Addr, TcpListener};

/// The ports of one control plane.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ports {
    pub(crate) etcd: u16,
    pub(crate) api_server: u16,
    pub(crate) controller_manager: u16,
}

impl Ports {
    /// Ports that were free just now; another process may still take one before it is used.
    pub(crate) fn pick() -> io::Result<Self> {
        let listen = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
        // All are held until all are chosen, so no two are the same.
        let held = [listen()?, listen()?, listen()?];
        let [etcd, api_server, controller_manager] = &held;
        let port = |listener: &TcpListener| listener.local_addr().map(|address| address.port());
        Ok(Self {
            etcd: port(etcd)?,
            api_server: port(api_server)?,
            controller_manager: port(controller_manager)?,
        })
    }
}
