//! `kubectl keyward key`: what is done with one access key.

mod create;
mod reveal;
mod rotate;
mod summary;
mod switch;

use clap::Subcommand;

use crate::kubectl::context::Context;
use crate::kubectl::error::Error;

/// Commands below `key`.
#[derive(Subcommand, Clone, Debug)]
pub enum KeyCommand {
    /// Make an access key, and say where its token is.
    Create(create::CreateKeyArgs),
    /// Switch an access key on.
    Activate(switch::SwitchKeyArgs),
    /// Switch an access key off. It keeps everything and authenticates nobody.
    Deactivate(switch::SwitchKeyArgs),
    /// Give an access key a new token, by raising its revision by one.
    Rotate(rotate::RotateArgs),
    /// Print the token of an access key.
    Reveal(reveal::RevealArgs),
}

/// The commands.
pub async fn run(context: &Context, command: KeyCommand) -> Result<(), Error> {
    match command {
        KeyCommand::Create(args) => create::run(context, args).await,
        KeyCommand::Activate(args) => switch::activate(context, args).await,
        KeyCommand::Deactivate(args) => switch::deactivate(context, args).await,
        KeyCommand::Rotate(args) => rotate::run(context, args).await,
        KeyCommand::Reveal(args) => reveal::run(context, args).await,
    }
}
