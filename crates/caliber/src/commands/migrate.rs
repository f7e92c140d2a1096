//! `caliber migrate`: the schema of the database.

use caliber_engine::Result;
use clap::Subcommand;
use serde_json::json;

use crate::service::{self, ServiceArgs, block_on, store_failed};
use crate::settings::Settings;
use crate::terminal::Terminal;

/// Bring the database's schema up to this version, or take it back
#[derive(clap::Args)]
#[command(after_help = "Example:\n  caliber migrate status")]
pub(crate) struct Args {
    #[command(subcommand)]
    step: Step,
    #[command(flatten)]
    service: ServiceArgs,
}

#[derive(Subcommand)]
enum Step {
    /// Apply what is missing
    Up,
    /// Take back the last migrations; what they made is lost
    Down {
        /// How many
        #[arg(long, default_value_t = 1)]
        steps: u32,
    },
    /// Show which are applied
    Status,
}

pub(crate) fn run(args: &Args, terminal: Terminal) -> Result<()> {
    let settings = Settings::parse(&args.service.sources(terminal)?)?;
    block_on(async {
        let store = service::store(&settings).await?;
        match args.step {
            Step::Up => store.migrate_up().await.map_err(store_failed)?,
            Step::Down { steps } => store.migrate_down(Some(steps)).await.map_err(store_failed)?,
            Step::Status => {}
        }
        let migrations = store.migrations().await.map_err(store_failed)?;
        let document: Vec<_> =
            migrations.iter().map(|it| json!({"name": it.name, "applied": it.applied})).collect();
        terminal.answer(&document, |out| {
            for migration in &migrations {
                let state = if migration.applied { "applied" } else { "missing" };
                writeln!(out, "{state}  {}", migration.name)?;
            }
            Ok(())
        })
    })
}
