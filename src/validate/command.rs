//! `keyward validate`: flags, files, exit codes.

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use chrono::{DateTime, Utc};
use clap::{Args, ValueEnum};

use super::checker::Checker;
use super::finding::Report;
use super::options::{Options, References};
use super::rule::Severity;
use super::{files, report};
use crate::domain::value::time::parse_rfc3339;
use crate::runtime::telemetry::with_causes;

/// Flags of `keyward validate`.
#[derive(Args, Clone, Debug)]
#[command(
    after_help = "Exit codes: 0 nothing to correct, 1 something is, 2 a file could not be read or a flag is wrong."
)]
pub struct ValidateArgs {
    /// Files, folders with *.yaml, *.yml and *.json files, or - for standard input.
    #[arg(value_name = "FILE")]
    pub paths: Vec<PathBuf>,
    /// Files or folders with the manifests as they are now in the cluster: fields that may not be changed are
    /// found too. May be given several times.
    #[arg(long, value_name = "FILE")]
    pub base: Vec<PathBuf>,
    /// Namespace of manifests that name none.
    #[arg(short, long, value_name = "NAMESPACE", default_value = "default")]
    pub namespace: String,
    /// How bad it is that something named is not among the manifests: it may be in the cluster.
    #[arg(long, value_name = "SEVERITY", value_enum, default_value_t)]
    pub references: References,
    /// Take warnings for errors.
    #[arg(long)]
    pub strict: bool,
    /// Form of the findings.
    #[arg(short, long, value_name = "FORM", value_enum, default_value_t)]
    pub output: Output,
    /// The time to check as of, in RFC 3339. Default: now.
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub now: Option<DateTime<Utc>>,
}

/// Forms of the findings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people.
    #[default]
    Text,
    /// One JSON object.
    Json,
    /// Annotations of GitHub Actions.
    Github,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
}

fn time(text: &str) -> Result<DateTime<Utc>, String> {
    parse_rfc3339(text)
        .ok_or_else(|| format!("must be a time in RFC 3339, such as 2027-05-31T00:00:00Z; it is '{text}'"))
}

/// Checks, prints, and says how it ended.
pub fn run(args: &ValidateArgs, now: DateTime<Utc>) -> ExitCode {
    match checked(args, now) {
        Ok(report) => verdict(&report, args.strict),
        Err(error) => {
            eprintln!("keyward: {}", with_causes(error.as_ref()));
            ExitCode::from(2)
        }
    }
}

fn verdict(report: &Report, strict: bool) -> ExitCode {
    let is_bad = report.count(Severity::Error) > 0 || (strict && report.count(Severity::Warning) > 0);
    if is_bad { ExitCode::from(1) } else { ExitCode::SUCCESS }
}

fn checked(args: &ValidateArgs, now: DateTime<Utc>) -> Result<Report, Box<dyn std::error::Error>> {
    let ValidateArgs { paths, base, namespace, references, strict: _, output, now: given } = args;
    let files = files::read(paths)?;
    let base = if base.is_empty() { None } else { Some(files::read(base)?) };
    let options = Options { namespace: namespace.clone(), references: *references };
    let report = Checker::new()?.check(&files, base.as_deref(), &options, given.unwrap_or(now));
    print(&report, *output)?;
    Ok(report)
}

/// Findings on standard output; for people, how many there are on standard error.
fn print(report: &Report, output: Output) -> io::Result<()> {
    let text = match output {
        Output::Text => report::text::write(report),
        Output::Json => report::json::write(report),
        Output::Github => report::github::write(report),
        Output::Sarif => report::sarif::write(report),
    };
    // Colours are taken out where it is no terminal.
    anstream::stdout().write_all(text.as_bytes())?;
    if matches!(output, Output::Text | Output::Github) {
        eprintln!("{}", report::text::summary(report));
    }
    Ok(())
}
