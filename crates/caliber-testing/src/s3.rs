//! A server that speaks S3: real requests with real signatures, its objects in a folder.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;

use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use s3s::access::{S3Access, S3AccessContext};
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::{S3Result, s3_error};
use s3s_fs::FileSystem;
use tempfile::TempDir;
use tokio::net::TcpListener;

/// The bucket that there is.
pub const BUCKET: &str = "caliber-test";
/// The keys that are let in.
const KEYS: (&str, &str) = ("caliber-test-key", "caliber-test-secret");

/// A running server with one bucket. What it stores stays over [`Self::stop`] and [`Self::start_again`], and is gone with
/// this value.
#[derive(Debug)]
pub struct S3Server {
    address: SocketAddr,
    folder: TempDir,
    /// Ends the server where it is dropped.
    running: Option<tokio::runtime::Runtime>,
}

impl S3Server {
    /// Starts one.
    ///
    /// # Panics
    /// Where no port or no folder can be had.
    pub fn start() -> Self {
        let folder = TempDir::with_prefix("caliber-s3-").expect("a folder for temporary files");
        std::fs::create_dir(folder.path().join(BUCKET)).expect("a bucket is a folder");
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut server = Self { address, folder, running: None };
        server.start_again();
        server
    }

    /// Starts what was stopped, at the address that it had.
    ///
    /// # Panics
    /// Where somebody else has its address.
    pub fn start_again(&mut self) {
        let files = FileSystem::new(self.folder.path()).expect("the folder is there");
        let mut builder = S3ServiceBuilder::new(files);
        builder.set_auth(SimpleAuth::from_single(KEYS.0, KEYS.1));
        builder.set_access(OneBucket);
        let service = builder.build();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let runtime = runtime.expect("a runtime");
        let listener = std::net::TcpListener::bind(self.address).expect("the server's address is free");
        self.address = listener.local_addr().expect("the server listens");
        listener.set_nonblocking(true).expect("the runtime waits for it");
        runtime.spawn(serve(listener, service));
        self.running = Some(runtime);
    }

    /// Ends it: connections are cut, and new ones refused.
    pub fn stop(&mut self) {
        if let Some(runtime) = self.running.take() {
            runtime.shutdown_background();
        }
    }

    /// The variables that a client finds it by, with keys that are let in.
    pub fn environment(&self) -> Vec<(String, String)> {
        self.environment_with(KEYS.1)
    }

    /// As [`Self::environment`], with another secret.
    pub fn environment_with(&self, secret: &str) -> Vec<(String, String)> {
        let variables = [
            ("AWS_ENDPOINT_URL", format!("http://{}", self.address)),
            ("AWS_ALLOW_HTTP", "true".to_owned()),
            ("AWS_REGION", "us-east-1".to_owned()),
            ("AWS_ACCESS_KEY_ID", KEYS.0.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", secret.to_owned()),
        ];
        variables.map(|(name, value)| (name.to_owned(), value)).to_vec()
    }

    /// The keys of all objects of the bucket, as they stand in its folder.
    ///
    /// # Panics
    /// Where the folder cannot be read.
    pub fn keys(&self) -> BTreeSet<String> {
        let bucket = self.folder.path().join(BUCKET);
        let mut found = BTreeSet::new();
        let mut folders = vec![bucket.clone()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).expect("the bucket can be read") {
                let path = entry.expect("the bucket can be read").path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    found.insert(key_of(&bucket, &path));
                }
            }
        }
        found
    }
}

impl Drop for S3Server {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Lets who signed rightly into the one bucket; the files' server would make any other.
struct OneBucket;

#[async_trait::async_trait]
impl S3Access for OneBucket {
    async fn check(&self, call: &mut S3AccessContext<'_>) -> S3Result<()> {
        if call.credentials().is_none() {
            return Err(s3_error!(AccessDenied));
        }
        match call.s3_path().get_bucket_name() {
            Some(BUCKET) => Ok(()),
            _ => Err(s3_error!(NoSuchBucket)),
        }
    }
}

fn key_of(bucket: &Path, path: &Path) -> String {
    let below = path.strip_prefix(bucket).unwrap_or(path);
    below.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}

async fn serve(listener: std::net::TcpListener, service: S3Service) {
    let listener = TcpListener::from_std(listener).expect("a runtime to listen on");
    while let Ok((stream, _)) = listener.accept().await {
        let service = service.clone();
        tokio::spawn(async move {
            // A client that is gone is no matter of the server's.
            let _ = Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await;
        });
    }
}
