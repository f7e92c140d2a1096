//! The program `caliber serve`, started for one test.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, Barrier, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use caliber_store::Backend;
use caliber_testing::TestDatabase;
use tempfile::TempDir;

use crate::client::Client;

/// How long anything may take that a test waits for.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A running service with a folder and a database of its own. They stay over [`Service::kill`] and
/// [`Service::start_again`], and are gone with this value. The log is shown when the test fails.
#[derive(Debug)]
pub(crate) struct Service {
    running: Option<Running>,
    settings: Vec<(String, String)>,
    log: Arc<Mutex<String>>,
    folder: TempDir,
    database: Option<TestDatabase>,
    /// What the database's pool lives on.
    runtime: tokio::runtime::Runtime,
}

#[derive(Debug)]
struct Running {
    child: Child,
    address: String,
    readers: Vec<JoinHandle<()>>,
}

impl Service {
    /// A service without the development sign-in.
    pub(crate) fn start(on: Backend) -> Self {
        Self::with(on, &[])
    }

    /// A service with settings beside those of [`Self::start`], or in their place.
    pub(crate) fn with(on: Backend, settings: &[(&str, &str)]) -> Self {
        let mut service = Self::prepared(on, settings);
        service.start_again();
        service
    }

    /// A service that is not started yet.
    pub(crate) fn prepared(on: Backend, settings: &[(&str, &str)]) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let database = (on == Backend::Postgres).then(|| runtime.block_on(TestDatabase::postgres()));
        let folder = TempDir::with_prefix("caliber-service-").unwrap();
        // Tests call as often as they like; those of the limits set them.
        let usual = [
            ("CALIBER_DEV_SIGN_IN", "off"),
            ("CALIBER_RATE_LIMIT", "off"),
            ("CALIBER_PAGE_RATE_LIMIT", "off"),
        ];
        let mut all = usual.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        all.extend(database.iter().map(|database| ("DATABASE_URL".to_owned(), database.url().to_owned())));
        let mut service =
            Self { running: None, settings: all, log: Arc::default(), folder, database, runtime };
        for (name, value) in settings {
            service.set(name, value);
        }
        service
    }

    /// Starts what is not running, on the data it had.
    pub(crate) fn start_again(&mut self) {
        assert!(self.running.is_none(), "it runs already");
        let mut child = self.command(&["serve", "--bind", "127.0.0.1:0"]).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let errors = BufReader::new(child.stderr.take().unwrap());
        let mut readers = vec![self.keep(errors)];
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on ").map(str::to_owned);
        readers.push(self.keep(out));
        self.running = Some(Running { child, address: address.unwrap_or_default(), readers });
        assert!(line.starts_with("listening on http://127.0.0.1:"), "the first line is {line:?}");
    }

    /// Adds what comes to the log.
    fn keep(&self, lines: impl BufRead + Send + 'static) -> JoinHandle<()> {
        let log = Arc::clone(&self.log);
        std::thread::spawn(move || {
            for line in lines.lines().map_while(Result::ok) {
                writeln!(log.lock().unwrap(), "{line}").unwrap();
            }
        })
    }

    /// A command of the program with the service's settings and data; its streams are pipes.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_caliber"));
        for (name, _) in std::env::vars() {
            let is_setting = name.starts_with("CALIBER_") || name == "DATABASE_URL";
            if is_setting {
                command.env_remove(name);
            }
        }
        command.args(arguments).arg("--data").arg(self.data()).current_dir(self.folder.path());
        command.envs(self.settings.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs a command of the program to its end.
    pub(crate) fn run(&self, arguments: &[&str], input: &str) -> Output {
        let mut child = self.command(arguments).stdin(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    }

    /// A client without a credential.
    pub(crate) fn client(&self) -> Client {
        Client::of(self.address())
    }

    /// `http://127.0.0.1:PORT`.
    pub(crate) fn address(&self) -> &str {
        &self.running.as_ref().expect("the service runs").address
    }

    /// The folder of its data.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// A folder beside it.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// How many files there are in its storage.
    pub(crate) fn stored_files(&self) -> usize {
        fn count(folder: &Path) -> usize {
            let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
            entries
                .map(|entry| entry.unwrap().path())
                .map(|path| if path.is_dir() { count(&path) } else { 1 })
                .sum()
        }
        count(&self.data().join("files"))
    }

    /// Changes a setting from the next start on.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.unset(name);
        self.settings.push((name.to_owned(), value.to_owned()));
    }

    /// Leaves a setting to its default from the next start on.
    pub(crate) fn unset(&mut self, name: &str) {
        self.settings.retain(|(known, _)| known != name);
    }

    /// The database of PostgreSQL.
    pub(crate) fn database(&self) -> Option<&TestDatabase> {
        self.database.as_ref()
    }

    /// The id of its process.
    pub(crate) fn process(&self) -> u32 {
        self.running.as_ref().expect("the service runs").child.id()
    }

    /// What it has said so far.
    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Ends it as a power cut would.
    pub(crate) fn kill(&mut self) {
        if let Some(mut running) = self.running.take() {
            running.child.kill().unwrap();
            running.end();
        }
    }

    /// Asks it to end (SIGTERM), and waits for it.
    pub(crate) fn stop(&mut self) -> ExitStatus {
        self.ask_to_stop();
        self.ended()
    }

    /// Asks it to end, once: a second time would mean at once.
    pub(crate) fn ask_to_stop(&self) {
        let asked = Command::new("kill").args(["-TERM", &self.process().to_string()]).status();
        assert!(asked.unwrap().success());
    }

    /// How it ended, which is waited for.
    pub(crate) fn ended(&mut self) -> ExitStatus {
        self.running.take().expect("the service runs").end()
    }
}

impl Running {
    fn end(mut self) -> ExitStatus {
        let status = self.child.wait().unwrap();
        for reader in self.readers {
            reader.join().unwrap();
        }
        status
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            eprintln!("the service said:\n{}", self.log());
        }
        // Its pool has to end while there is something to run on.
        let _inside = self.runtime.enter();
        self.database = None;
    }
}

/// Asks again and again until there is something to return.
///
/// # Panics
/// Where there is nothing in good time.
#[track_caller]
pub(crate) fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let until = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < until, "{what}: not after {PATIENCE:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// What `call` gives to so many at once.
pub(crate) fn at_once<T: Send>(how_many: usize, call: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let together = Barrier::new(how_many);
    std::thread::scope(|scope| {
        let calls: Vec<_> = (0..how_many)
            .map(|at| {
                let (together, call) = (&together, &call);
                scope.spawn(move || {
                    together.wait();
                    call(at)
                })
            })
            .collect();
        calls.into_iter().map(|call| call.join().unwrap()).collect()
    })
}

/// Reads all there is.
pub(crate) fn text_of(mut stream: impl Read) -> String {
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}
