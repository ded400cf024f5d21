//! A gateway's process, with its documented configuration moved to free ports.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use keyward_dev::{Gateway, Gateways};

use crate::support::dev_dir;

/// A gateway in one of its documented configurations.
#[derive(Clone, Copy)]
pub enum Kind {
    Nginx,
    EnvoyHttp,
    EnvoyGrpc,
    Traefik,
    Caddy,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::EnvoyHttp => "envoy-http",
            Self::EnvoyGrpc => "envoy-grpc",
            Self::Traefik => "traefik",
            Self::Caddy => "caddy",
        }
    }

    fn gateway(self) -> Gateway {
        match self {
            Self::Nginx => Gateway::Nginx,
            Self::EnvoyHttp | Self::EnvoyGrpc => Gateway::Envoy,
            Self::Traefik => Gateway::Traefik,
            Self::Caddy => Gateway::Caddy,
        }
    }

    /// The files of its configuration; it is started with the first.
    fn files(self) -> &'static [&'static str] {
        match self {
            Self::Nginx => &["nginx.conf"],
            Self::EnvoyHttp => &["envoy-http.yaml"],
            Self::EnvoyGrpc => &["envoy-grpc.yaml"],
            Self::Traefik => &["traefik/traefik.yml", "traefik/routes.yml"],
            Self::Caddy => &["Caddyfile"],
        }
    }

    fn arguments(self, folder: &Path, file: &Path) -> Vec<String> {
        let (folder, file) = (folder.display(), file.display());
        match self {
            Self::Nginx => vec![
                "-p".into(),
                format!("{folder}"),
                "-e".into(),
                "stderr".into(),
                "-c".into(),
                format!("{file}"),
                "-g".into(),
                "daemon off; master_process off;".into(),
            ],
            Self::EnvoyHttp | Self::EnvoyGrpc => vec![
                "--config-path".into(),
                format!("{file}"),
                "--use-dynamic-base-id".into(),
                "--concurrency".into(),
                "1".into(),
                "--log-level".into(),
                "warning".into(),
            ],
            Self::Traefik => vec![format!("--configFile={file}")],
            Self::Caddy => vec![
                "run".into(),
                "--adapter".into(),
                "caddyfile".into(),
                "--config".into(),
                format!("{file}"),
            ],
        }
    }
}

/// A running gateway.
pub struct Running {
    child: Child,
    log: PathBuf,
    pub kind: Kind,
    pub url: String,
}

/// A text of a configuration, and what stands there instead.
pub type Edit = (&'static str, &'static str);

impl Running {
    /// Starts it with its documented configuration, but for `edits`.
    pub fn start(kind: Kind, name: &str, verifier: &str, application: &str, edits: &[Edit]) -> Self {
        let folder = dev_dir().join(format!("{name}-gateway"));
        fs::create_dir_all(&folder).unwrap();
        let own = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let moved = [("8470", verifier), ("8480", own.as_str()), ("8490", application)];
        let mut files = kind.files().iter().map(|file| place(file, &folder, &moved, edits));
        let first = files.next().unwrap();
        files.for_each(drop);
        let log = dev_dir().join(format!("{name}-gateway.log"));
        let child = Command::new(Gateways::ensure(&[kind.gateway()]).unwrap().path(kind.gateway()))
            .args(kind.arguments(&folder, &first))
            .current_dir(&folder)
            .env("HOME", &folder)
            .stdin(Stdio::null())
            .stdout(File::create(&log).unwrap())
            .stderr(File::options().append(true).open(&log).unwrap())
            .spawn()
            .unwrap();
        Self { child, log, kind, url: format!("http://{own}") }
    }

    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself, which the test then says.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Copies a file of `examples/gateways/` into `folder`, with other ports.
fn place(file: &str, folder: &Path, moved: &[(&str, &str)], edits: &[Edit]) -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/gateways").join(file);
    let mut text = fs::read_to_string(&source).unwrap();
    for (port, address) in moved {
        let new = address.rsplit(':').next().unwrap();
        assert!(text.contains(port) || source.ends_with("traefik/traefik.yml"), "{file} names port {port}");
        text = text.replace(port, new);
    }
    for (before, after) in edits {
        assert!(text.contains(before), "{file} has {before}");
        text = text.replacen(before, after, 1);
    }
    // A busy machine takes longer than a gateway should wait; then it answers for the verifier.
    text = text.replace("timeout: 1s", "timeout: 20s");
    let target = folder.join(source.file_name().unwrap());
    fs::write(&target, text).unwrap();
    target
}
