//! `kubectl keyward who-can`: who may manage a service account, and who may read its tokens.

mod answer;
mod fetch;
mod rbac;
#[cfg(test)]
mod tests;

use clap::{Args, ValueEnum};

use crate::kubectl::context::Context;
use crate::kubectl::error::Error;
use crate::kubectl::input::name::NameOf;
use crate::kubectl::output::format;
use crate::kubectl::output::screen;

/// Flags of `who-can`.
#[derive(Args, Clone, Debug)]
pub struct WhoCanArgs {
    /// The service account.
    #[arg(value_name = "NAME", add = NameOf::ServiceAccount)]
    name: String,
    /// How to print it: `wide` has Kubernetes' own parts too.
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t = TableOutput::Table)]
    output: TableOutput,
}

/// How the answer is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum TableOutput {
    /// A table.
    Table,
    /// A table of everyone.
    Wide,
    /// As JSON.
    Json,
    /// As YAML.
    Yaml,
}

/// The command.
pub async fn run(context: &Context, args: WhoCanArgs) -> Result<(), Error> {
    let WhoCanArgs { name, output } = args;
    let cluster = context.globals.connect().await?;
    let visible = Box::pin(fetch::fetch(&cluster, &name)).await?;
    let answer = answer::answer(&visible);
    match output {
        TableOutput::Table | TableOutput::Wide => {
            screen::show(&answer.table(output == TableOutput::Wide))?;
            answer.remarks(output == TableOutput::Wide).iter().for_each(|line| screen::note(line));
            Ok(())
        }
        TableOutput::Json => screen::show(&format::json(&answer.document())?),
        TableOutput::Yaml => screen::show(&format::yaml(&answer.document())?),
    }
}
