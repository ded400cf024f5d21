//! Prometheus' own tool, which checks queries and alerts and tries them out: built with Go into the cache once, in the version
//! that `promtool/go.mod` pins.

use std::fs;
use std::path::{Path, PathBuf};

use crate::assets::{Error, Sources, go, key_of, lock};
use crate::say::say;

const PACKAGE: &str = "github.com/prometheus/prometheus/cmd/promtool";
/// Without the many ways to find what to scrape: this tool scrapes nothing.
const FLAGS: [&str; 6] = ["-trimpath", "-buildvcs=false", "-ldflags", "-s -w", "-tags", "remove_all_sd"];

/// Where the tool lies.
#[derive(Clone, Debug)]
pub struct Promtool {
    path: PathBuf,
}

impl Promtool {
    /// Finds it, and builds it where it is missing. This blocks for as long as the build takes.
    ///
    /// # Errors
    /// When it is missing and cannot be built.
    pub fn ensure() -> Result<Self, Error> {
        let module = Path::new(env!("CARGO_MANIFEST_DIR")).join("promtool");
        let read = |name: &str| {
            let path = module.join(name);
            fs::read_to_string(&path).map_err(Error::file("read", path))
        };
        let (go_mod, go_sum) = (read("go.mod")?, read("go.sum")?);
        let folder = Sources::from_env()?.promtool.join(key_of(&[&go_mod, &go_sum, &FLAGS.join("\n")]));
        let tool = Self { path: folder.join("promtool") };
        if !tool.path.is_file() {
            let _lock = lock::acquire(&folder, "promtool")?;
            if !tool.path.is_file() {
                tool.build(&module, &go_mod, &folder)?;
            }
        }
        Ok(tool)
    }

    /// The program.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn build(&self, module: &Path, go_mod: &str, folder: &Path) -> Result<(), Error> {
        let needed = go::oldest(go_mod)
            .ok_or_else(|| Error::GoMod { path: module.join("go.mod"), what: "go line" })?;
        let go = go::check(module, &needed, "promtool")?;
        say(format_args!("Building promtool with Go {go}; this takes about two minutes, once"));
        fs::create_dir_all(folder).map_err(Error::file("create", folder))?;
        let building = self.path.with_extension("building");
        let mut command = go::command(module);
        command.arg("build").args(FLAGS).arg("-o").arg(&building).arg(PACKAGE);
        go::output(command, "go build")?;
        fs::rename(&building, &self.path).map_err(Error::file("write", &self.path))
    }
}
