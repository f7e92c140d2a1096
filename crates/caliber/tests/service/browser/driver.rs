//! chromedriver and the browser that it starts.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::MetadataExt;
use std::process::{Child, Command, Stdio};

use serde_json::{Map, Value, json};
use tempfile::TempDir;

const INSTALL: &str = "the tests in the browser need Chromium; install it: cargo xtask need chromium, which is \
                       apt-get install --yes --no-install-recommends chromium chromium-driver";

/// A running chromedriver on a port of its own. The runner ends it, and its browser, with a test that takes too long:
/// they are of one group of processes.
#[derive(Debug)]
pub(super) struct Driver {
    child: Child,
    address: String,
    profile: TempDir,
    /// Where the browser puts what is downloaded.
    downloads: TempDir,
}

impl Driver {
    pub(super) fn start() -> Self {
        let mut command = Command::new("chromedriver");
        command.arg("--port=0");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("chromedriver: {error}; {INSTALL}"));
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let port = lines
            .find_map(|line| {
                Some(line.split_once("successfully on port ")?.1.trim_end_matches('.').to_owned())
            })
            .unwrap_or_else(|| panic!("chromedriver ended before it listened; {INSTALL}"));
        // What it says further is of no interest, but must be taken off it.
        std::thread::spawn(move || lines.for_each(drop));
        let folder = |of: &str| TempDir::with_prefix(format!("caliber-browser-{of}-")).unwrap();
        Self {
            child,
            address: format!("http://127.0.0.1:{port}"),
            profile: folder("profile"),
            downloads: folder("downloads"),
        }
    }

    pub(super) fn address(&self) -> &str {
        &self.address
    }

    pub(super) fn downloads(&self) -> &std::path::Path {
        self.downloads.path()
    }

    /// How the browser is started, and that it keeps what its console says.
    pub(super) fn capabilities(&self) -> Map<String, Value> {
        let mut flags = vec![
            "--headless=new".to_owned(),
            "--disable-dev-shm-usage".to_owned(),
            "--disable-gpu".to_owned(),
            "--disable-extensions".to_owned(),
            "--disable-features=OnDeviceModelService,OptimizationGuideModelDownloading".to_owned(),
            "--disable-background-networking".to_owned(),
            "--disable-component-update".to_owned(),
            "--no-first-run".to_owned(),
            "--no-proxy-server".to_owned(),
            "--force-color-profile=srgb".to_owned(),
            "--lang=en-US".to_owned(),
            format!("--user-data-dir={}", self.profile.path().display()),
        ];
        // Its sandbox is not for root.
        if std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0) {
            flags.push("--no-sandbox".to_owned());
        }
        let capabilities = json!({
            "browserName": "chrome",
            "goog:chromeOptions": {
                "args": flags,
                "prefs": {
                    "download": {
                        "default_directory": self.downloads.path(),
                        "prompt_for_download": false,
                    },
                },
            },
            "goog:loggingPrefs": {"browser": "ALL"},
            "unhandledPromptBehavior": "ignore",
        });
        let Value::Object(capabilities) = capabilities else { unreachable!("written as an object above") };
        capabilities
    }

    /// What a browser that does not start is told with.
    pub(super) fn hint() -> &'static str {
        INSTALL
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
