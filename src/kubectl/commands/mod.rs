//! The commands that look at a cluster: the list of them here, and each in a file or a folder of its own. A
//! command reads the cluster, makes a text of what it found with a pure function, and shows that. What two
//! commands need belongs in `cluster`, `input` or `output`.
//!
//! A new command is a file here, and in this file its module, its line in [`ClusterCommand`] and its arm in
//! [`ClusterCommand::run`].

mod audit;
mod create;
mod describe;
mod expiring;
mod key;
pub mod snapshot;
mod switch;
mod verify;
mod who_can;

use std::process::ExitCode;

use clap::Subcommand;

use crate::kubectl::context::Context;
use crate::kubectl::exit;

/// Commands that look at a cluster.
#[derive(Subcommand, Clone, Debug)]
pub enum ClusterCommand {
    /// Show everything about a service account: keys, resources, admins, audit log.
    Describe(describe::DescribeArgs),
    /// Show what happened to a service account, or in the account, oldest first.
    Audit(audit::AuditArgs),
    /// Make a service account.
    Create(create::CreateArgs),
    /// Make, switch, rotate and reveal access keys.
    Key {
        #[command(subcommand)]
        command: key::KeyCommand,
    },
    /// Switch a service account on, with its keys as they were.
    Activate(switch::ActivateArgs),
    /// Show what still uses a service account, ask, and switch it off with all its keys.
    Deactivate(switch::DeactivateArgs),
    /// Show who may manage a service account, and who may read its tokens.
    WhoCan(who_can::WhoCanArgs),
    /// Show access keys that expire soon, and whether anything renews them.
    Expiring(expiring::ExpiringArgs),
    /// Say whether a token is good, and for what. The token is read from standard input.
    ///
    /// Ends with 0 where it is good, with 1 where it is refused, and with 2 where that cannot be told.
    Verify(verify::VerifyArgs),
}

impl ClusterCommand {
    /// Runs it, shows what came out, and says how the program ends.
    pub async fn run(self, context: &Context) -> ExitCode {
        let result = match self {
            Self::Describe(args) => describe::run(context, args).await,
            Self::Audit(args) => audit::run(context, args).await,
            Self::Create(args) => create::run(context, args).await,
            Self::Key { command } => key::run(context, command).await,
            Self::Activate(args) => switch::activate(context, args).await,
            Self::Deactivate(args) => switch::deactivate(context, args).await,
            Self::WhoCan(args) => who_can::run(context, args).await,
            Self::Expiring(args) => expiring::run(context, args).await,
            // Its own codes tell a bad token from no verdict.
            Self::Verify(args) => return verify::run(context, args).await,
        };
        exit::code(result)
    }
}
