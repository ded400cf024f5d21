//! The application of `application.py`, which gets headers as CGI variables.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

/// How an application is run.
#[derive(Clone, Copy, Debug)]
pub enum Interface {
    Wsgi,
    Cgi,
}

impl Interface {
    pub fn name(self) -> &'static str {
        match self {
            Self::Wsgi => "wsgi",
            Self::Cgi => "cgi",
        }
    }
}

/// A running application; it ends with the test.
pub struct CgiApplication {
    child: Child,
    pub address: String,
}

impl CgiApplication {
    pub fn start(interface: Interface) -> Self {
        let program = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cluster/gateways/application.py");
        let mut child = Command::new("python3")
            .args([program, interface.name()])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut address = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut address).unwrap();
        Self { child, address: address.trim().to_owned() }
    }
}

impl Drop for CgiApplication {
    fn drop(&mut self) {
        // It may have ended by itself, which the test then says.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
