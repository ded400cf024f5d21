//! `kubectl keyward create`: a new service account.

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use kube::ResourceExt as _;
use kube::api::ObjectMeta;

use crate::api::service_account::Icon;
use crate::api::shared::{DesiredState, Subject};
use crate::api::{ServiceAccount, ServiceAccountSpec};
use crate::kubectl::cluster::changes::{ChangeArgs, DryRun};
use crate::kubectl::cluster::wait::WaitArgs;
use crate::kubectl::context::Context;
use crate::kubectl::error::Error;
use crate::kubectl::input::subject;
use crate::kubectl::output::hint::command_line;

/// The words of every icon.
const ICONS: [&str; 12] = [
    "Bot", "Build", "Calendar", "Chart", "Cloud", "Database", "Gear", "Key", "Mail", "Rocket", "Shield",
    "Terminal",
];

/// Flags of `create`.
#[derive(Args, Clone, Debug)]
pub struct CreateArgs {
    /// Name of the new service account.
    #[arg(value_name = "NAME")]
    name: String,
    /// Its name for people, 1 to 79 characters. Default: NAME.
    #[arg(long, value_name = "TEXT")]
    display_name: Option<String>,
    /// The picture that user interfaces show beside the name.
    #[arg(long, value_name = "ICON", default_value = "Bot", ignore_case = true, value_parser = icons())]
    icon: Icon,
    /// What it is for, at most 1024 characters.
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// Who may manage it: User:NAME, Group:NAME or ServiceAccount:NAMESPACE:NAME. May be given several times.
    #[arg(long, value_name = "SUBJECT", value_parser = subject::parse)]
    admin: Vec<Subject>,
    #[command(flatten)]
    change: ChangeArgs,
    #[command(flatten)]
    wait: WaitArgs,
}

fn icons() -> impl clap::builder::TypedValueParser<Value = Icon> {
    PossibleValuesParser::new(ICONS).map(|given| {
        let word = ICONS.into_iter().find(|icon| icon.eq_ignore_ascii_case(&given)).unwrap_or_default();
        serde_json::from_value(word.into()).unwrap_or_default()
    })
}

/// The command.
pub async fn run(context: &Context, args: CreateArgs) -> Result<(), Error> {
    let (change, wait) = (args.change, args.wait);
    let service_account = requested(args, context.globals.namespace().await?);
    if change.dry_run == DryRun::Client {
        return change.show(&service_account, "created");
    }
    let cluster = context.globals.connect().await?;
    let created = cluster.create(&service_account, change.dry_run).await?;
    change.show(&created, "created")?;
    if change.is_real() && wait.wait {
        wait.until(&cluster, &created, |_| true).await?;
        let key = format!("key create NAME --service-account {}", created.name_any());
        change
            .add(&format!("It is admitted. A key for it: {}\n", command_line(cluster.namespace(), &key)))?;
    }
    Ok(())
}

fn requested(args: CreateArgs, namespace: String) -> ServiceAccount {
    let CreateArgs { name, display_name, icon, description, admin, change: _, wait: _ } = args;
    let spec = ServiceAccountSpec {
        display_name,
        icon,
        description,
        state: DesiredState::Active,
        admins: (!admin.is_empty()).then_some(admin),
    };
    let metadata = ObjectMeta { name: Some(name), namespace: Some(namespace), ..ObjectMeta::default() };
    ServiceAccount { metadata, spec, status: None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kubectl::cluster::manifest::ObjectOutput;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        create: CreateArgs,
    }

    fn manifest(flags: &[&str]) -> String {
        let given = ["create", "ci-bot"].iter().chain(flags);
        let args = Line::try_parse_from(given).unwrap_or_else(|error| panic!("{error}")).create;
        ObjectOutput::Yaml.of(&requested(args, "shop".into())).unwrap()
    }

    #[test]
    fn every_flag_stands_in_the_manifest() {
        let flags = [
            "--display-name=CI bot",
            "--icon=rocket",
            "--description=Builds: the shop.",
            "--admin=User:alice",
            "--admin=ServiceAccount:argocd:controller",
        ];
        assert_eq!(
            manifest(&flags),
            "apiVersion: iam.keyward.dev/v1alpha1\n\
             kind: ServiceAccount\n\
             metadata:\n  \
               name: ci-bot\n  \
               namespace: shop\n\
             spec:\n  \
               admins:\n  \
               - kind: User\n    \
                 name: alice\n  \
               - kind: ServiceAccount\n    \
                 name: controller\n    \
                 namespace: argocd\n  \
               description: \"Builds: the shop.\"\n  \
               displayName: CI bot\n  \
               icon: Rocket\n"
        );
    }

    #[test]
    fn the_icons_are_those_of_the_kind() {
        for word in ICONS {
            assert!(manifest(&["--icon", word]).contains(&format!("icon: {word}\n")), "{word}");
        }
        let schema = serde_json::to_value(schemars::schema_for!(Icon)).unwrap();
        assert_eq!(schema["enum"], serde_json::json!(ICONS));
    }
}
