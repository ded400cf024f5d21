//! Other programs, and the folder where they leave what they write.

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

/// The folder of the control plane; its logs are searched for tokens at the end of a run.
pub fn dev_dir() -> PathBuf {
    let dir = std::env::var_os("KEYWARD_DEV_DIR");
    PathBuf::from(
        dir.expect("no control plane: run `make test`, or `cargo run -p keyward-dev -- with -- cargo test`"),
    )
}

/// Standard output of a command that must have succeeded.
pub fn text(output: &Output) -> String {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Runs a command to its end.
pub fn run(program: &str, arguments: &[&str], input: &str) -> Output {
    let mut command = Command::new(program);
    command.args(arguments);
    run_with(command, input)
}

/// As [`run`], with more said of the command than its arguments.
pub fn run_with(mut command: Command, input: &str) -> Output {
    use std::io::Write as _;
    let program = command.get_program().to_owned();
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{}: {error}", program.display()));
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}
