//! What is measured: a server's process, and the requests for it.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::Command;
use std::rc::Rc;
use std::time::{Duration, Instant};

use keyward_dev::{Gateway, Gateways};
use serde_json::json;

use crate::support::{Failure, Running};
use crate::verify::client::Client;
use crate::verify::keys;
use crate::verify::processors::Processors;

/// How long a server may take until it answers.
const START: Duration = Duration::from_mins(3);
/// A key that no server knows.
const STRANGER: usize = 1_000_000_000;

/// As the chart starts a verifier.
pub const KEPT_MEMORY: (&str, &str) = ("MIMALLOC_PURGE_DELAY", "-1");

pub struct Subject {
    pub name: &'static str,
    pub address: SocketAddr,
    pub process: Running,
    pub requests: Rc<Vec<Vec<u8>>>,
}

/// What all servers of a run have in common.
pub struct Bench<'a> {
    pub processors: &'a Processors,
    pub gateways: &'a Gateways,
    /// For configurations.
    pub folder: &'a Path,
    pub keys: usize,
}

impl Bench<'_> {
    /// The same port without the check.
    pub fn bare(
        &self,
        name: &'static str,
        role: &str,
        requests: &Rc<Vec<Vec<u8>>>,
    ) -> Result<Subject, Failure> {
        self.own(name, &[role], requests)
    }

    pub fn verifier(&self, name: &'static str, requests: &Rc<Vec<Vec<u8>>>) -> Result<Subject, Failure> {
        self.own(name, &["verifier", &self.keys.to_string()], requests)
    }

    fn own(
        &self,
        name: &'static str,
        role: &[&str],
        requests: &Rc<Vec<Vec<u8>>>,
    ) -> Result<Subject, Failure> {
        let address = free_address()?;
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("serve").arg(address.to_string()).args(role);
        command.envs([KEPT_MEMORY]);
        self.start(name, address, &mut command, requests)
    }

    pub fn nginx(&self, name: &'static str, requests: &Rc<Vec<Vec<u8>>>) -> Result<Subject, Failure> {
        let address = free_address()?;
        let text = format!(
            "worker_processes 1;\npid nginx.pid;\nerror_log stderr warn;\nevents {{ worker_connections 4096; }}\n\
             http {{\n  access_log off;\n  keepalive_requests 1000000000;\n  client_body_temp_path a;\n  proxy_temp_path b;\n  \
             fastcgi_temp_path c;\n  uwsgi_temp_path d;\n  scgi_temp_path e;\n  \
             server {{ listen {address}; location / {{ return 200; }} }}\n}}\n"
        );
        let file = self.folder.join("nginx.conf");
        std::fs::write(&file, text)?;
        let mut command = Command::new(self.gateways.path(Gateway::Nginx));
        command.arg("-p").arg(self.folder).args(["-e", "stderr", "-c"]).arg(&file);
        command.args(["-g", "daemon off; master_process off;"]);
        self.start(name, address, &mut command, requests)
    }

    /// Envoy with its own filter for API keys, which has the keys in its configuration.
    pub fn envoy(&self, name: &'static str, requests: &Rc<Vec<Vec<u8>>>) -> Result<Subject, Failure> {
        let address = free_address()?;
        let file = self.folder.join("envoy.json");
        std::fs::write(&file, self.envoy_configuration(address)?)?;
        let mut command = Command::new(self.gateways.path(Gateway::Envoy));
        command.arg("--config-path").arg(&file);
        command.args(["--use-dynamic-base-id", "--concurrency", "1", "--log-level", "error"]);
        self.start(name, address, &mut command, requests)
    }

    fn envoy_configuration(&self, address: SocketAddr) -> Result<String, Failure> {
        const EXTENSIONS: &str = "type.googleapis.com/envoy.extensions.filters";
        let credentials = (0..self.keys).map(|n| {
            let token = keys::token(n)?;
            Ok(json!({"key": token.reveal(), "client": keys::name(n)}))
        });
        let credentials = credentials.collect::<Result<Vec<_>, Failure>>()?;
        let filters = json!([
            {"name": "keys", "typed_config": {
                "@type": format!("{EXTENSIONS}.http.api_key_auth.v3.ApiKeyAuth"),
                "credentials": credentials, "key_sources": [{"header": "Authorization"}],
            }},
            {"name": "router", "typed_config": {"@type": format!("{EXTENSIONS}.http.router.v3.Router")}},
        ]);
        let routes = json!([{"name": "all", "domains": ["*"], "routes": [
            {"match": {"prefix": "/"}, "direct_response": {"status": 200}},
        ]}]);
        let manager = json!({
            "@type": format!("{EXTENSIONS}.network.http_connection_manager.v3.HttpConnectionManager"),
            "stat_prefix": "bench", "generate_request_id": false,
            "route_config": {"virtual_hosts": routes}, "http_filters": filters,
        });
        let socket = json!({"address": address.ip().to_string(), "port_value": address.port()});
        let configuration = json!({"static_resources": {"listeners": [{
            "name": "bench", "address": {"socket_address": socket},
            "filter_chains": [{"filters": [{"name": "http", "typed_config": manager}]}],
        }]}});
        Ok(configuration.to_string())
    }

    fn start(
        &self,
        name: &'static str,
        address: SocketAddr,
        command: &mut Command,
        requests: &Rc<Vec<Vec<u8>>>,
    ) -> Result<Subject, Failure> {
        command.env("TOKIO_WORKER_THREADS", "1").current_dir(self.folder);
        let process = self.processors.on_servers(|| Running::start(command))?;
        let mut subject = Subject { name, address, process, requests: Rc::clone(requests) };
        subject.answers()?;
        Ok(subject)
    }
}

impl Subject {
    /// Waits until it answers.
    fn answers(&mut self) -> Result<(), Failure> {
        let name = self.name;
        wait_for(&mut self.process, self.address).map_err(|error| format!("{name}: {error}").into())
    }

    /// Sees that it lets good keys in, each under its own id where the answer says that, and nobody else.
    pub fn checks(&self, path: &str, keys: usize, says_who: bool) -> Result<(), Failure> {
        let mut client = Client::connect(self.address)?;
        for n in (0..keys).step_by(keys.div_ceil(1000)) {
            let token = keys::token(n)?;
            let answer = client.ask(&keys::request(path, &token))?;
            let id = answer.header("x-keyward-key-id");
            if answer.status != 200 || (says_who && id != token.id()) {
                return Err(
                    format!("{}: key {n} was answered {} for '{id}'", self.name, answer.status).into()
                );
            }
        }
        match client.ask(&keys::request(path, &keys::token(STRANGER)?))?.status {
            401 => Ok(()),
            status => Err(format!("{}: a key that it does not know was answered {status}", self.name).into()),
        }
    }
}

/// Waits until somebody listens there.
pub fn wait_for(process: &mut Running, address: SocketAddr) -> Result<(), Failure> {
    let start = Instant::now();
    while std::net::TcpStream::connect(address).is_err() {
        process.check()?;
        if start.elapsed() > START {
            return Err("it does not answer".into());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

pub fn free_address() -> Result<SocketAddr, Failure> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}
