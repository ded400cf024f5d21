//! Who sends a request, and what the request holds in memory.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::runtime::server::memory::{Connection, Memory};

/// The sender of one request, for as long as it is answered. What the request holds is free again when this
/// is dropped.
#[derive(Debug)]
pub struct Caller {
    address: IpAddr,
    connection: Arc<Connection>,
    held: AtomicUsize,
}

impl Caller {
    pub(super) fn new(address: IpAddr, connection: Arc<Connection>) -> Self {
        Self { address, connection, held: AtomicUsize::new(0) }
    }

    /// One that may hold so many bytes, and has no connection: for tests.
    pub fn detached(budget: usize) -> Self {
        let (connection, _) = Memory::new(budget, 1).open(0);
        Self::new(Ipv4Addr::LOCALHOST.into(), connection)
    }

    /// The address at the other end of the connection.
    pub fn address(&self) -> IpAddr {
        self.address
    }

    /// Whether the request may hold so many more bytes. Where it may not, it is to be refused.
    #[must_use]
    pub fn hold(&self, bytes: usize) -> bool {
        let may = self.connection.hold(bytes);
        if may {
            self.held.fetch_add(bytes, Ordering::Relaxed);
        }
        may
    }

    /// The caller belongs here, so its connection stays where others have to give way.
    pub fn trust(&self) {
        self.connection.trust();
    }
}

impl Drop for Caller {
    fn drop(&mut self) {
        let held = *self.held.get_mut();
        if held > 0 {
            self.connection.release(held);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_request_holds_is_free_after_it() {
        let caller = Caller::detached(100);
        assert!(caller.hold(60));
        assert!(!caller.hold(60));
        let connection = Arc::clone(&caller.connection);
        drop(caller);
        let next = Caller::new(Ipv4Addr::LOCALHOST.into(), connection);
        assert!(next.hold(100));
    }
}
