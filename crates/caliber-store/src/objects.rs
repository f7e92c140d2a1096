//! Stored files: in a folder, or in a bucket (`s3://bucket/prefix`, feature `s3`).
//!
//! A file is seen whole or not at all: it is written beside its place and put there when it is complete. What a crash
//! leaves half written is seen by nobody and removed by [`Objects::delete_unfinished`]; in a bucket the rule for
//! incomplete uploads of its lifecycle does that.

mod key;
#[cfg(test)]
mod tests;
mod unfinished;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use chrono::{DateTime, Utc};
use futures_util::{Stream, StreamExt, TryStreamExt, pin_mut};
use object_store::local::LocalFileSystem;
use object_store::{MultipartUpload, ObjectStore, ObjectStoreExt, PutPayload};
use sha2::{Digest, Sha256};
use tokio::io::AsyncWriteExt;

use key::path_of;

/// Bytes held in memory while a file is stored; what a bucket takes as one part at least.
const PART_BYTES: usize = 5 << 20;

type SourceError = Box<dyn std::error::Error + Send + Sync>;

/// A failure of stored files.
#[derive(Debug, thiserror::Error)]
pub enum ObjectError {
    /// The key is absolute, climbs (`..`), is empty or has characters that are not for keys.
    #[error("not a storage key: {0:?}")]
    Key(String),
    /// There is no such file.
    #[error("no such stored file: {0}")]
    Missing(String),
    /// More bytes than allowed came; nothing was kept.
    #[error("more than {limit} bytes")]
    TooLarge {
        /// What is allowed.
        limit: u64,
    },
    /// Where the bytes came from failed; nothing was kept.
    #[error("reading what is to be stored")]
    Source(#[source] SourceError),
    /// A local file or folder.
    #[error("{path}: {source}")]
    File {
        /// Where.
        path: PathBuf,
        /// What happened: disk full, not allowed ...
        source: io::Error,
    },
    /// The location given for stored files cannot be used.
    #[error("stored files cannot be kept at {location}: {why}")]
    Location {
        /// As given.
        location: String,
        /// What is wrong with it.
        why: String,
    },
    /// The storage does not let us in.
    #[error(
        "the storage of files does not let us in: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or what they may do, are not right"
    )]
    Refused(#[source] object_store::Error),
    /// The storage failed.
    #[error("the storage of files failed")]
    Storage(#[source] object_store::Error),
}

/// What is known of a file once it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Bytes.
    pub size: u64,
    /// SHA-256 of the bytes, in lower-case hexadecimal.
    pub sha256: String,
}

/// A stored file, as listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectInfo {
    /// Its key.
    pub key: String,
    /// Bytes.
    pub size: u64,
    /// When it was stored.
    pub stored_at: DateTime<Utc>,
}

/// A stored file on this machine's disk; fetched from a bucket, it is deleted when this is dropped.
#[derive(Debug)]
pub struct LocalCopy {
    path: PathBuf,
    _fetched: Option<tempfile::TempPath>,
}

impl LocalCopy {
    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// All stored files. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Objects {
    store: Arc<dyn ObjectStore>,
    /// Where they are in a folder: to read them in place.
    local: Option<(Arc<LocalFileSystem>, PathBuf)>,
    location: String,
}

impl Objects {
    /// Opens `s3://bucket/prefix`, or a folder, which is made if missing. Credentials, region and end point of a bucket are
    /// found as by every client of S3: `AWS_ACCESS_KEY_ID`, `AWS_REGION`, `AWS_ENDPOINT_URL` ... or the machine's role.
    pub fn open(location: &str) -> Result<Self, ObjectError> {
        let environment = std::env::vars_os();
        Self::open_with(
            location,
            environment
                .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?))),
        )
    }

    /// As [`Self::open`], with variables in place of the environment's.
    pub fn open_with(
        location: &str,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ObjectError> {
        if location.starts_with("s3://") {
            return Self::bucket(location, environment);
        }
        if location.contains("://") {
            return Err(refused(location, "it is neither a folder nor `s3://bucket/prefix`"));
        }
        let failed = |source| ObjectError::File { path: PathBuf::from(location), source };
        std::fs::create_dir_all(location).map_err(failed)?;
        let folder = std::fs::canonicalize(location).map_err(failed)?;
        let store = LocalFileSystem::new_with_prefix(&folder)
            .map_err(|error| refused(location, error.to_string()))?
            .with_automatic_cleanup(true);
        let store = Arc::new(store);
        Ok(Self {
            store: Arc::clone(&store) as Arc<dyn ObjectStore>,
            local: Some((store, folder)),
            location: location.to_owned(),
        })
    }

    #[cfg(feature = "s3")]
    fn bucket(
        location: &str,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ObjectError> {
        // One cryptography for all of TLS; where the process has chosen another, that stays.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let url = url::Url::parse(location).map_err(|error| refused(location, error.to_string()))?;
        let bucket = url.host_str().ok_or_else(|| refused(location, "it names no bucket"))?;
        let mut builder = object_store::aws::AmazonS3Builder::new();
        for (name, value) in environment.into_iter().filter(|(name, _)| name.starts_with("AWS_")) {
            if let Ok(key) = name.to_ascii_lowercase().parse() {
                builder = builder.with_config(key, value);
            }
        }
        let store = builder
            .with_bucket_name(bucket)
            .with_retry(patience())
            .build()
            .map_err(|error| refused(location, error.to_string()))?;
        let prefix = url.path().trim_matches('/');
        let store: Arc<dyn ObjectStore> = if prefix.is_empty() {
            Arc::new(store)
        } else {
            Arc::new(object_store::prefix::PrefixStore::new(store, path_of(prefix)?))
        };
        Ok(Self { store, local: None, location: location.to_owned() })
    }

    #[cfg(not(feature = "s3"))]
    fn bucket(location: &str, _: impl IntoIterator<Item = (String, String)>) -> Result<Self, ObjectError> {
        Err(refused(location, "this build has no support for buckets (feature `s3`)"))
    }

    /// Where the files are, as given.
    pub fn location(&self) -> &str {
        &self.location
    }

    /// Stores what the stream brings under `key`, in place of what was there. Memory stays bounded; at the first byte
    /// beyond `limit` it is [`ObjectError::TooLarge`]. Where it fails, nothing is kept and what was there stays.
    pub async fn put<E: Into<SourceError>>(
        &self,
        key: &str,
        limit: Option<u64>,
        bytes: impl Stream<Item = Result<Bytes, E>>,
    ) -> Result<Stored, ObjectError> {
        let path = path_of(key)?;
        let mut incoming = Incoming { limit, size: 0, hash: Sha256::new() };
        let bytes = bytes.map_err(|error| ObjectError::Source(error.into()));
        pin_mut!(bytes);
        let (first, more) = incoming.part(&mut bytes).await?;
        if more {
            let mut upload = self.store.put_multipart(&path).await.map_err(|error| self.not_kept(error))?;
            if let Err(error) = incoming.parts(upload.as_mut(), first, &mut bytes).await {
                // What could not be removed now is removed by `delete_unfinished`.
                let _ = upload.abort().await;
                return Err(error);
            }
        } else {
            self.store.put(&path, PutPayload::from(first)).await.map_err(|error| self.not_kept(error))?;
        }
        Ok(Stored { size: incoming.size, sha256: hexadecimal(&incoming.hash.finalize()) })
    }

    /// Why something could not be stored: what is not found then is the bucket.
    fn not_kept(&self, error: object_store::Error) -> ObjectError {
        match error {
            object_store::Error::NotFound { .. } if self.local.is_none() => {
                refused(&self.location, "there is no such bucket")
            }
            error => storage(error),
        }
    }

    /// Stores bytes that are in memory.
    pub async fn put_bytes(&self, key: &str, bytes: Bytes) -> Result<Stored, ObjectError> {
        let once = futures_util::stream::once(async move { Ok::<_, io::Error>(bytes) });
        self.put(key, None, once).await
    }

    /// Stores a file of this machine.
    pub async fn put_file(&self, key: &str, path: &Path) -> Result<Stored, ObjectError> {
        let failed = |source| ObjectError::File { path: path.to_owned(), source };
        let file = tokio::fs::File::open(path).await.map_err(failed)?;
        let chunks = futures_util::stream::try_unfold(file, |mut file| async move {
            use tokio::io::AsyncReadExt;
            let mut chunk = BytesMut::with_capacity(1 << 18);
            let read = file.read_buf(&mut chunk).await?;
            Ok::<_, io::Error>((read > 0).then(|| (chunk.freeze(), file)))
        });
        self.put(key, None, chunks).await
    }

    /// The bytes of a file and how many they are, as they come.
    pub async fn get(
        &self,
        key: &str,
    ) -> Result<(u64, impl Stream<Item = Result<Bytes, ObjectError>> + Send + 'static + use<>), ObjectError>
    {
        let got = self.store.get(&path_of(key)?).await.map_err(|error| missing(error, key))?;
        Ok((got.meta.size, got.into_stream().map_err(storage)))
    }

    /// All bytes of a file.
    pub async fn get_bytes(&self, key: &str) -> Result<Bytes, ObjectError> {
        let got = self.store.get(&path_of(key)?).await.map_err(|error| missing(error, key))?;
        got.bytes().await.map_err(storage)
    }

    /// What is known of a file; none where there is none.
    pub async fn info(&self, key: &str) -> Result<Option<ObjectInfo>, ObjectError> {
        match self.store.head(&path_of(key)?).await {
            Ok(meta) => Ok(Some(info(&meta))),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(storage(error)),
        }
    }

    /// The file on this machine's disk, for those who need a path: in place where it is in a folder, else fetched. It is
    /// only for reading.
    pub async fn local_copy(&self, key: &str) -> Result<LocalCopy, ObjectError> {
        if let Some((local, _)) = &self.local {
            let path = local.path_to_filesystem(&path_of(key)?).map_err(storage)?;
            return match tokio::fs::metadata(&path).await {
                Ok(meta) if meta.is_file() => Ok(LocalCopy { path, _fetched: None }),
                Ok(_) => Err(ObjectError::Missing(key.to_owned())),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    Err(ObjectError::Missing(key.to_owned()))
                }
                Err(source) => Err(ObjectError::File { path, source }),
            };
        }
        let (_, bytes) = self.get(key).await?;
        fetch(key, bytes).await
    }

    /// Deletes a file; one that is not there is no error.
    pub async fn delete(&self, key: &str) -> Result<(), ObjectError> {
        match self.store.delete(&path_of(key)?).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(storage(error)),
        }
    }

    /// Deletes all files under the folder `prefix`; how many.
    pub async fn delete_prefix(&self, prefix: &str) -> Result<u64, ObjectError> {
        let prefix = path_of(prefix.trim_end_matches('/'))?;
        let found = self.store.list(Some(&prefix)).map_ok(|meta| meta.location).boxed();
        let mut deleted = self.store.delete_stream(found);
        let mut count = 0;
        while let Some(result) = deleted.next().await {
            match result {
                Ok(_) => count += 1,
                Err(object_store::Error::NotFound { .. }) => {}
                Err(error) => return Err(storage(error)),
            }
        }
        Ok(count)
    }

    /// Files under the folder `prefix` that were stored before `before`, in no order.
    pub fn list_before(
        &self,
        prefix: &str,
        before: DateTime<Utc>,
    ) -> Result<impl Stream<Item = Result<ObjectInfo, ObjectError>> + Send + 'static + use<>, ObjectError>
    {
        let prefix = path_of(prefix.trim_end_matches('/'))?;
        let all = self.store.list(Some(&prefix)).map_err(storage);
        Ok(all.try_filter_map(
            move |meta| async move { Ok((meta.last_modified < before).then(|| info(&meta))) },
        ))
    }

    /// Writes, reads and deletes a small file; for those who ask whether the storage answers.
    pub async fn check(&self) -> Result<(), ObjectError> {
        let key = format!("check/{}", crate::ids::uuid_at(DateTime::UNIX_EPOCH));
        self.put_bytes(&key, Bytes::from_static(b"caliber")).await?;
        let read = self.get_bytes(&key).await;
        self.delete(&key).await?;
        read.map(drop)
    }

    /// Removes what was begun before `before` and never completed; how many. In a bucket it is nothing.
    pub async fn delete_unfinished(&self, before: DateTime<Utc>) -> Result<u64, ObjectError> {
        let Some((_, folder)) = self.local.clone() else { return Ok(0) };
        let removing = tokio::task::spawn_blocking(move || unfinished::remove(&folder, before.into()));
        removing
            .await
            .unwrap_or_else(|error| Err((PathBuf::new(), io::Error::other(error))))
            .map_err(|(path, source)| ObjectError::File { path, source })
    }
}

/// What is counted while bytes come in.
struct Incoming {
    limit: Option<u64>,
    size: u64,
    hash: Sha256,
}

impl Incoming {
    /// The next bytes, [`PART_BYTES`] of them or more where there are so many, and whether there may be more.
    async fn part(
        &mut self,
        bytes: &mut (impl Stream<Item = Result<Bytes, ObjectError>> + Unpin),
    ) -> Result<(Bytes, bool), ObjectError> {
        let mut part = BytesMut::new();
        while part.len() < PART_BYTES {
            let Some(chunk) = bytes.next().await else { return Ok((part.freeze(), false)) };
            let chunk = chunk?;
            self.size += chunk.len() as u64;
            if let Some(limit) = self.limit.filter(|limit| self.size > *limit) {
                return Err(ObjectError::TooLarge { limit });
            }
            self.hash.update(&chunk);
            part.extend_from_slice(&chunk);
        }
        Ok((part.freeze(), true))
    }

    /// Writes part after part, each before the next is read, and puts the file in its place.
    async fn parts(
        &mut self,
        upload: &mut dyn MultipartUpload,
        first: Bytes,
        bytes: &mut (impl Stream<Item = Result<Bytes, ObjectError>> + Unpin),
    ) -> Result<(), ObjectError> {
        let mut part = first;
        let mut more = true;
        while !part.is_empty() {
            upload.put_part(PutPayload::from(part)).await.map_err(storage)?;
            (part, more) = if more { self.part(bytes).await? } else { (Bytes::new(), false) };
        }
        upload.complete().await.map_err(storage)?;
        Ok(())
    }
}

/// Writes the stream into a temporary file.
async fn fetch(
    key: &str,
    bytes: impl Stream<Item = Result<Bytes, ObjectError>>,
) -> Result<LocalCopy, ObjectError> {
    let name = key.rsplit('/').next().unwrap_or(key);
    let failed = |source| ObjectError::File { path: std::env::temp_dir(), source };
    // The ending stays, for those who go by it.
    let temporary =
        tempfile::Builder::new().prefix("caliber-").suffix(&format!("-{name}")).tempfile().map_err(failed)?;
    let (file, path) = temporary.into_parts();
    let mut file = tokio::fs::File::from_std(file);
    pin_mut!(bytes);
    while let Some(chunk) = bytes.next().await {
        file.write_all(&chunk?).await.map_err(failed)?;
    }
    file.flush().await.map_err(failed)?;
    Ok(LocalCopy { path: path.to_path_buf(), _fetched: Some(path) })
}

fn info(meta: &object_store::ObjectMeta) -> ObjectInfo {
    ObjectInfo { key: meta.location.to_string(), size: meta.size, stored_at: meta.last_modified }
}

fn refused(location: &str, why: impl Into<String>) -> ObjectError {
    ObjectError::Location { location: location.to_owned(), why: why.into() }
}

fn missing(error: object_store::Error, key: &str) -> ObjectError {
    match error {
        object_store::Error::NotFound { .. } => ObjectError::Missing(key.to_owned()),
        error => storage(error),
    }
}

fn storage(error: object_store::Error) -> ObjectError {
    match error {
        object_store::Error::PermissionDenied { .. } | object_store::Error::Unauthenticated { .. } => {
            ObjectError::Refused(error)
        }
        error => ObjectError::Storage(error),
    }
}

/// How long a bucket that does not answer is tried: somebody waits for it.
#[cfg(feature = "s3")]
fn patience() -> object_store::RetryConfig {
    object_store::RetryConfig {
        max_retries: 4,
        retry_timeout: std::time::Duration::from_secs(15),
        ..object_store::RetryConfig::default()
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing into a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
