//! Brings what the pages and their tests take from npm into the repository, so that building and running need no network.

use std::fmt::Write;
use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};

use crate::vendored::{self, FOLDERS, Manifest, Package, SPRITE};
use crate::{run, workspace_root};

/// Flags of `cargo xtask assets`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Registry to ask, npm's own setting unless given
    #[arg(long, value_name = "URL")]
    registry: Option<String>,
}

/// Downloads every package, takes its files out of it, and records their hashes.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    if !run::answers("npm", &["--version"]) {
        bail!("npm brings the assets; install it: apt-get install --yes npm");
    }
    let root = workspace_root();
    for folder in FOLDERS {
        bring(&root.join(folder), arguments.registry.as_deref())?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Brings what the manifest of a folder lists.
fn bring(folder: &Path, registry: Option<&str>) -> Result<()> {
    let manifest = Manifest::read(folder)?;
    for package in &manifest.package {
        let unpacked = tempfile::tempdir().context("making a temporary folder")?;
        download(package, registry, unpacked.path())?;
        take(package, &unpacked.path().join("package"), &folder.join(&package.folder))?;
        println!("{} {} ({})", package.name, package.version, package.license);
    }
    vendored::record(folder, &manifest.files())
}

/// Unpacks a package into `folder`; npm compares it with the hash that the registry states.
fn download(package: &Package, registry: Option<&str>, folder: &Path) -> Result<()> {
    let wanted = format!("{}@{}", package.name, package.version);
    let mut pack = Command::new("npm");
    pack.current_dir(folder).args(["pack", "--silent", &wanted]);
    if let Some(registry) = registry {
        pack.args(["--registry", registry]);
    }
    let printed = run::output(&mut pack)?;
    let archive = printed.lines().last().with_context(|| format!("npm named no archive for {wanted}"))?;
    run::succeed(Command::new("tar").current_dir(folder).args(["-xzf", archive.trim()]))
}

/// Copies what is wanted of an unpacked package.
fn take(package: &Package, from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to).with_context(|| format!("making {}", to.display()))?;
    for file in &package.files {
        std::fs::copy(from.join(file), to.join(vendored::last(file)))
            .with_context(|| format!("taking {file} of {}", package.name))?;
    }
    if !package.sprite.is_empty() {
        let sprite = sprite(&package.sprite, &from.join("icons/outline"))?;
        std::fs::write(to.join(SPRITE), sprite).context("writing the sprite")?;
    }
    Ok(())
}

/// Icons as symbols of one file: a page shows one by `<use href="icons.svg#name">`.
fn sprite(names: &[String], folder: &Path) -> Result<String> {
    let mut sprite = String::from("<svg xmlns=\"http://www.w3.org/2000/svg\">\n");
    for name in names {
        let path = folder.join(format!("{name}.svg"));
        let text = std::fs::read_to_string(&path).with_context(|| format!("there is no icon `{name}`"))?;
        let shapes = text
            .split_once("<svg")
            .and_then(|(_, rest)| rest.split_once('>'))
            .and_then(|(_, rest)| rest.rsplit_once("</svg>"))
            .with_context(|| format!("the icon `{name}` is not what was expected"))?;
        let shapes: String = shapes.0.lines().map(str::trim).collect();
        writeln!(
            sprite,
            "<symbol id=\"{name}\" viewBox=\"0 0 24 24\" fill=\"none\" stroke=\"currentColor\" \
             stroke-width=\"1.75\" stroke-linecap=\"round\" stroke-linejoin=\"round\">{shapes}</symbol>"
        )?;
    }
    sprite.push_str("</svg>\n");
    Ok(sprite)
}
