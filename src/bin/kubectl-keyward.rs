//! The program `kubectl-keyward`, which kubectl runs as `kubectl keyward`.

use std::process::ExitCode;

fn main() -> ExitCode {
    keyward::kubectl::main()
}
