//! The page of a process's flags.

use clap::{Arg, Command};

use crate::markdown::{code, codes, table};

/// The page of one subcommand.
pub(super) fn page(command: &Command, how_to_run: &str) -> String {
    let name = command.get_name();
    let flags = table(["flag", "environment", "default", "meaning"], command.get_arguments().map(row));
    format!(
        "# Flags of the {name}\n\n`keyward {name}` reads flags or environment variables. The chart sets the latter. \
         {how_to_run} Generated from the source.\n\n{flags}"
    )
}

fn row(flag: &Arg) -> [String; 4] {
    let name = flag.get_long().map(|name| code(format!("--{name}"))).unwrap_or_default();
    let variable = flag.get_env().and_then(|name| name.to_str()).map(code).unwrap_or_default();
    let default: Vec<&str> = flag.get_default_values().iter().filter_map(|value| value.to_str()).collect();
    let help = flag.get_help().map(ToString::to_string).unwrap_or_default();
    [name, variable, codes(default), format!("{}.", help.trim_end_matches('.'))]
}
