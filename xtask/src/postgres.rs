//! A PostgreSQL server for tests: Debian's packages, a folder and a port of its own, gone with the value.

use std::fs::File;
use std::io::Write;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use crate::{needs, run};

/// The variable that tests find the server by.
pub(crate) const ADDRESS: &str = "CALIBER_TEST_POSTGRES";

/// How long a start and a stop may take.
const PATIENCE: Duration = Duration::from_mins(1);

/// What a server for tests can do without: it need not survive a power cut.
const SETTINGS: [&str; 7] = [
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "wal_level=minimal",
    "max_wal_senders=0",
    "max_connections=400",
    "listen_addresses=127.0.0.1",
];

/// What the folders of servers are called.
const FOLDER: &str = "caliber-postgres-";
/// The file in a server's folder that is locked as long as the command that started it lives.
const ALIVE: &str = "alive";

/// Flags of `cargo xtask postgres`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// What to run beside the server, such as `cargo nextest run -p caliber-store`
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
    command: Vec<String>,
}

/// Runs a command with a server to itself.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    needs::ensure(&["postgresql"])?;
    let server = Server::start()?;
    let Some((program, rest)) = arguments.command.split_first() else { bail!("no command was given") };
    let mut command = run::plain(Command::new(program));
    command.args(rest).env(ADDRESS, server.address());
    let status = command.status().with_context(|| format!("starting `{}`", run::shown(&command)))?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Whether the programs of a server are on this machine.
pub(crate) fn installed() -> bool {
    programs().is_some()
}

/// A running server.
pub(crate) struct Server {
    child: Child,
    address: String,
    /// Data and socket.
    folder: TempDir,
    _alive: File,
}

impl Server {
    /// Makes a cluster and starts it.
    pub(crate) fn start() -> Result<Self> {
        let programs = programs().context("PostgreSQL's programs are not to be found")?;
        let user = User::to_run_as()?;
        remove_leftovers();
        let folder = TempDir::with_prefix(FOLDER).context("making a folder for PostgreSQL")?;
        let alive = File::create_new(folder.path().join(ALIVE)).context("making a folder for PostgreSQL")?;
        alive.lock().context("locking the folder of PostgreSQL")?;
        user.own(folder.path())?;
        let data = folder.path().join("data");
        let password = password()?;
        let password_file = folder.path().join("password");
        std::fs::write(&password_file, &password).context("writing PostgreSQL's password")?;
        user.own(&password_file)?;
        initialise(&programs, &user, &data, &password_file)?;

        let port = free_port()?;
        let mut command = user.command(&programs.join("postgres"));
        command.arg("-D").arg(&data).args(["-p", &port.to_string()]).arg("-k").arg(folder.path());
        for setting in SETTINGS {
            command.args(["-c", setting]);
        }
        let log = File::create(folder.path().join("log")).context("making PostgreSQL's log")?;
        let child =
            command.current_dir(folder.path()).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let child = child.spawn().context("starting PostgreSQL")?;
        let address = format!("postgres://postgres:{password}@127.0.0.1:{port}/postgres");
        let mut server = Self { child, address, folder, _alive: alive };
        server.wait_until_ready(&programs, port)?;
        Ok(server)
    }

    /// Where it is, as its superuser.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    fn wait_until_ready(&mut self, programs: &Path, port: u16) -> Result<()> {
        let ready = programs.join("pg_isready").to_string_lossy().into_owned();
        let port = port.to_string();
        let until = Instant::now() + PATIENCE;
        while !run::answers(&ready, &["-q", "-h", "127.0.0.1", "-p", &port]) {
            let ended = self.child.try_wait().context("looking after PostgreSQL")?;
            if ended.is_some() || Instant::now() > until {
                let log = std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
                bail!("PostgreSQL did not start; it says:\n{log}");
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // SIGINT is PostgreSQL's fast shutdown: it ends its own processes.
        let asked = Command::new("kill").args(["-INT", &self.child.id().to_string()]).status();
        let until = Instant::now() + PATIENCE;
        while asked.as_ref().is_ok_and(std::process::ExitStatus::success) && Instant::now() < until {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Removes the folders of commands that were killed. Their servers went with them.
fn remove_leftovers() {
    let Ok(entries) = std::fs::read_dir(std::env::temp_dir()) else { return };
    for entry in entries.flatten() {
        if !entry.file_name().to_string_lossy().starts_with(FOLDER) {
            continue;
        }
        let is_dead = File::open(entry.path().join(ALIVE)).is_ok_and(|alive| alive.try_lock().is_ok());
        if is_dead {
            // What another user left stays.
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

/// The folder with PostgreSQL's programs: what is on the path, else what `pg_config` says, else Debian's newest.
fn programs() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<_> = std::env::split_paths(&path).collect();
    let config = Command::new("pg_config").arg("--bindir").stderr(Stdio::null()).output();
    if let Ok(output) = config {
        folders.push(PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()));
    }
    let mut versions: Vec<(u32, PathBuf)> = std::fs::read_dir("/usr/lib/postgresql")
        .map(|entries| entries.flatten().map(|entry| entry.path()).collect::<Vec<_>>())
        .unwrap_or_default()
        .into_iter()
        .filter_map(|version| Some((version.file_name()?.to_str()?.parse().ok()?, version.join("bin"))))
        .collect();
    versions.sort();
    folders.extend(versions.into_iter().rev().map(|(_, programs)| programs));
    let needed = ["postgres", "initdb", "pg_isready"];
    folders.into_iter().find(|folder| needed.iter().all(|name| folder.join(name).is_file()))
}

fn initialise(programs: &Path, user: &User, data: &Path, password_file: &Path) -> Result<()> {
    let mut command = user.command(&programs.join("initdb"));
    command.arg("-D").arg(data).arg("--pwfile").arg(password_file);
    command.args(["-U", "postgres", "-A", "scram-sha-256", "-E", "UTF8", "--no-sync"]);
    // The databases' order of text must be no machine's own.
    command.args(["--locale", "C.UTF-8"]);
    let folder = data.parent().unwrap_or(data);
    let output = command.current_dir(folder).output().context("starting initdb")?;
    if !output.status.success() {
        std::io::stderr().write_all(&output.stderr).context("writing to standard error")?;
        bail!("`{}` failed: {}", run::shown(&command), output.status);
    }
    Ok(())
}

/// A port that is free now.
fn free_port() -> Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).context("looking for a free port")?;
    Ok(listener.local_addr().context("looking for a free port")?.port())
}

/// Good enough for a server that only this machine reaches, for as long as the tests run.
fn password() -> Result<String> {
    let mut random = File::open("/dev/urandom").context("drawing a password")?;
    let mut bytes = [0_u8; 16];
    std::io::Read::read_exact(&mut random, &mut bytes).context("drawing a password")?;
    Ok(format!("{:032x}", u128::from_ne_bytes(bytes)))
}

/// Whom the server runs as: it refuses to run as root.
struct User {
    /// User and group, where we are root and have to become somebody else.
    ids: Option<(u32, u32)>,
    /// `setpriv` is there: it changes the user, and has the server end when we are killed.
    setpriv: bool,
}

impl User {
    fn to_run_as() -> Result<Self> {
        let setpriv = run::answers("setpriv", &["--version"]);
        if id(&["-u"])? != 0 {
            return Ok(Self { ids: None, setpriv });
        }
        if !setpriv {
            bail!(
                "PostgreSQL does not run as root, and `setpriv` (util-linux) is missing; run this as another user"
            );
        }
        let name = if run::answers("id", &["postgres"]) { "postgres" } else { "nobody" };
        Ok(Self { ids: Some((id(&["-u", name])?, id(&["-g", name])?)), setpriv })
    }

    /// A command that runs `program` as this user.
    fn command(&self, program: &Path) -> Command {
        if !self.setpriv {
            return Command::new(program);
        }
        let mut command = Command::new("setpriv");
        if let Some((user, group)) = self.ids {
            command.args(["--reuid", &user.to_string(), "--regid", &group.to_string(), "--clear-groups"]);
        }
        command.args(["--pdeathsig", "INT"]).arg(program);
        command
    }

    fn own(&self, path: &Path) -> Result<()> {
        let Some((user, group)) = self.ids else { return Ok(()) };
        own(path, user, group)
    }
}

#[cfg(unix)]
fn own(path: &Path, user: u32, group: u32) -> Result<()> {
    std::os::unix::fs::chown(path, Some(user), Some(group))
        .with_context(|| format!("giving {} to PostgreSQL's user", path.display()))
}

#[cfg(not(unix))]
fn own(_: &Path, _: u32, _: u32) -> Result<()> {
    Ok(())
}

fn id(arguments: &[&str]) -> Result<u32> {
    let printed = run::output(Command::new("id").args(arguments))?;
    printed.trim().parse().with_context(|| format!("reading what `id {}` printed", arguments.join(" ")))
}
