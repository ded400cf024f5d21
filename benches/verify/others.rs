//! The processes that are asked, and gateways among them.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use keyward_dev::{Gateway, Gateways};
use serde_json::json;

use crate::{Failure, keys};

/// How long a process may take to listen. Envoy reads a hundred thousand keys.
const BOUND: Duration = Duration::from_mins(2);

/// A process that ends with its value.
pub struct Process {
    child: Child,
    pub address: SocketAddr,
    /// Goes with it.
    folder: Option<tempfile::TempDir>,
}

impl Process {
    /// Starts one that listens at `address`, or says on standard error where it listens.
    pub fn start(command: &mut Command, at: Option<SocketAddr>) -> Result<Self, Failure> {
        let errors = if at.is_some() { Stdio::null() } else { Stdio::piped() };
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(errors).spawn()?;
        let address = match at {
            Some(address) => address,
            None => said(&mut child)?,
        };
        let process = Self { child, address, folder: None };
        let start = Instant::now();
        while TcpStream::connect(address).is_err() {
            if start.elapsed() > BOUND {
                return Err(format!("nobody listens on {address}").into());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(process)
    }

    /// Memory in use, in megabytes.
    pub fn resident_megabytes(&self) -> Result<f64, Failure> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).ok_or("no VmRSS")?;
        let kilobytes: u32 = line.split_whitespace().nth(1).ok_or("no number")?.parse()?;
        Ok(f64::from(kilobytes) / 1000.0)
    }

    /// Processor time that it has used so far, in hundredths of a second.
    pub fn processor_ticks(&self) -> Result<u32, Failure> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        let (_, fields) = stat.rsplit_once(')').ok_or("no name")?;
        let field = |number: usize| fields.split_whitespace().nth(number).ok_or("a field is missing");
        Ok(field(11)?.parse::<u32>()? + field(12)?.parse::<u32>()?)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself; the load has said so then.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn said(child: &mut Child) -> Result<SocketAddr, Failure> {
    let errors = child.stderr.take().ok_or("no standard error")?;
    for line in BufReader::new(errors).lines() {
        if let Some(address) = line?.strip_prefix("listening on ") {
            return Ok(address.parse()?);
        }
    }
    Err("it ended before it listened".into())
}

/// An address that was free just now.
pub fn free() -> Result<SocketAddr, Failure> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

fn gateway(
    gateway: Gateway,
    file: &str,
    config: &str,
    arguments: impl Fn(&Path) -> Vec<String>,
    at: SocketAddr,
) -> Result<Process, Failure> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join(file);
    fs::write(&path, config)?;
    let mut command = Command::new(Gateways::ensure()?.path(gateway));
    let mut process = Process::start(command.args(arguments(&path)).current_dir(folder.path()), Some(at))?;
    process.folder = Some(folder);
    Ok(process)
}

/// nginx that answers 200 to everybody.
pub fn nginx() -> Result<Process, Failure> {
    let at = free()?;
    let config = format!(
        "worker_processes 1; pid p; error_log stderr crit; events {{ worker_connections 512; }}\n\
         http {{ access_log off; keepalive_requests 100000000;\n\
         client_body_temp_path a; proxy_temp_path b; fastcgi_temp_path c; uwsgi_temp_path d; scgi_temp_path e;\n\
         server {{ listen {at}; location / {{ return 200; }} }} }}\n"
    );
    let arguments = |path: &Path| {
        let folder = path.parent().unwrap_or(path).display().to_string();
        ["-p", &folder, "-c", "nginx.conf", "-e", "stderr", "-g", "daemon off; master_process off;"]
            .map(str::to_owned)
            .to_vec()
    };
    gateway(Gateway::Nginx, "nginx.conf", &config, arguments, at)
}

/// Envoy that knows as many keys itself, and answers 200 to whoever has one.
pub fn envoy(count: usize) -> Result<Process, Failure> {
    let at = free()?;
    let credentials = (0..count)
        .map(|number| Ok(json!({"key": keys::token(number)?.reveal(), "client": format!("key-{number}")})))
        .collect::<Result<Vec<_>, Failure>>()?;
    let extension = |name: &str| format!("type.googleapis.com/envoy.extensions.filters.{name}");
    let config = json!({"static_resources": {"listeners": [{
        "name": "bench",
        "address": {"socket_address": {"address": "127.0.0.1", "port_value": at.port()}},
        "filter_chains": [{"filters": [{
            "name": "envoy.filters.network.http_connection_manager",
            "typed_config": {
                "@type": extension("network.http_connection_manager.v3.HttpConnectionManager"),
                "stat_prefix": "bench",
                "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [
                    {"match": {"prefix": "/"}, "direct_response": {"status": 200}}]}]},
                "http_filters": [
                    {"name": "envoy.filters.http.api_key_auth", "typed_config": {
                        "@type": extension("http.api_key_auth.v3.ApiKeyAuth"),
                        "credentials": credentials, "key_sources": [{"header": "x-api-key"}]}},
                    {"name": "envoy.filters.http.router",
                     "typed_config": {"@type": extension("http.router.v3.Router")}},
                ],
            },
        }]}],
    }]}});
    let arguments = |path: &Path| {
        [
            "--config-path",
            &path.display().to_string(),
            "--use-dynamic-base-id",
            "--concurrency",
            "1",
            "--log-level",
            "critical",
        ]
        .map(str::to_owned)
        .to_vec()
    };
    gateway(Gateway::Envoy, "envoy.json", &config.to_string(), arguments, at)
}
