//! `caliber user`: accounts by whoever runs the service. So is the first administrator made.

use std::io::{IsTerminal, Read};

use caliber_engine::{Code, Error, Result};
use caliber_platform::identity::permissions::Role;
use caliber_platform::identity::{OneTimeLink, User};
use clap::{Subcommand, ValueEnum};
use serde_json::json;

use crate::service::{self, ServiceArgs, block_on, platform_failed, store_failed};
use crate::settings::Settings;
use crate::terminal::Terminal;

/// Add people, give them roles, let them set a new password
#[derive(clap::Args)]
#[command(after_help = "Example:\n  caliber user add ana@example.com --role admin < /dev/null")]
pub(crate) struct Args {
    #[command(subcommand)]
    step: Step,
    #[command(flatten)]
    service: ServiceArgs,
}

#[derive(Subcommand)]
enum Step {
    /// Add somebody; the password is read from standard input, and without one a one-time link is printed
    Add {
        /// Their address
        email: String,
        #[arg(long)]
        role: RoleWord,
    },
    /// Give somebody a role
    SetRole {
        /// Their address
        email: String,
        #[arg(long)]
        role: RoleWord,
    },
    /// Print a one-time link to set a new password
    ResetPassword {
        /// Their address
        email: String,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum RoleWord {
    Viewer,
    Analyst,
    Manager,
    Admin,
    Client,
    Expert,
}

impl From<RoleWord> for Role {
    fn from(word: RoleWord) -> Self {
        match word {
            RoleWord::Viewer => Self::Viewer,
            RoleWord::Analyst => Self::Analyst,
            RoleWord::Manager => Self::Manager,
            RoleWord::Admin => Self::Admin,
            RoleWord::Client => Self::Client,
            RoleWord::Expert => Self::Expert,
        }
    }
}

pub(crate) fn run(args: &Args, terminal: Terminal) -> Result<()> {
    let settings = Settings::parse(&args.service.sources(terminal)?)?;
    // Read before anything else waits for it.
    let password = if matches!(args.step, Step::Add { .. }) { password()? } else { None };
    block_on(async {
        let store = service::store(&settings).await?;
        store.migrate_up().await.map_err(store_failed)?;
        let platform = service::platform(&settings, store)?;
        let identity = platform.identity();
        let (user, link) = match &args.step {
            Step::Add { email, role } => {
                let user = identity
                    .add(email, (*role).into(), password.as_deref())
                    .await
                    .map_err(platform_failed)?;
                let link = match password {
                    Some(_) => None,
                    None => Some(identity.password_link(email).await.map_err(platform_failed)?),
                };
                (Some(user), link)
            }
            Step::SetRole { email, role } => {
                (Some(identity.set_role(email, (*role).into()).await.map_err(platform_failed)?), None)
            }
            Step::ResetPassword { email } => {
                (None, Some(identity.password_link(email).await.map_err(platform_failed)?))
            }
        };
        tell(&settings, user.as_ref(), link.as_ref(), terminal)
    })
}

/// The first line of standard input, where something other than a person is there.
fn password() -> Result<Option<String>> {
    if std::io::stdin().is_terminal() {
        return Ok(None);
    }
    let mut text = String::new();
    std::io::stdin().take(4096).read_to_string(&mut text).map_err(|error| {
        Error::new(Code::BadOption, format!("the password cannot be read from standard input: {error}"))
            .help("send it as a line of UTF-8 text, or nothing for a link to set it")
    })?;
    Ok(text.lines().next().filter(|line| !line.is_empty()).map(str::to_owned))
}

fn tell(
    settings: &Settings,
    user: Option<&User>,
    link: Option<&OneTimeLink>,
    terminal: Terminal,
) -> Result<()> {
    let address = |link: &OneTimeLink| format!("http://{}/set-password?token={}", settings.bind, link.token);
    let document = json!({
        "email": user.map(|user| &user.email),
        "id": user.map(|user| user.id),
        "link": link.map(address),
        "expires_at": link.map(|link| link.expires_at),
    });
    terminal.answer(&document, |out| {
        if let Some(user) = user {
            writeln!(out, "{} is {}", user.email, user.role)?;
        }
        if let Some(link) = link {
            writeln!(
                out,
                "set the password at {}\nthe link works once, until {}",
                address(link),
                link.expires_at.format("%Y-%m-%d %H:%M UTC")
            )?;
        }
        Ok(())
    })
}
