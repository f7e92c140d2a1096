//! Exports on their way to a client: written chunk by chunk while they are sent, or into a file first where the form
//! needs to go back in it. Where the client is gone, the writing ends.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::stream::{self, BoxStream};
use futures_util::{StreamExt, TryStreamExt};
use tokio::io::AsyncReadExt;
use tokio::runtime::Handle;
use tokio::sync::mpsc;

use super::material::{Gauge, Material};
use super::unmade;
use crate::Platform;
use crate::error::{Error, Result};

/// Bytes that go at a time.
const CHUNK: usize = 64 << 10;
/// Chunks that wait for the client.
const WAITING: usize = 4;
/// How long a client may take for a chunk. One that stands still would keep a thread and the results.
const PATIENCE: Duration = Duration::from_mins(1);

/// A file as it comes.
pub struct Download {
    /// What it is called, in any script.
    pub filename: String,
    /// What it is.
    pub media_type: String,
    /// Its bytes, where known.
    pub size: Option<u64>,
    /// Names of the list that the form of a DSP cannot hold; none where there is no such form.
    pub left_out: Option<u64>,
    /// What comes.
    pub bytes: BoxStream<'static, io::Result<Bytes>>,
}

impl std::fmt::Debug for Download {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Download").field("filename", &self.filename).finish_non_exhaustive()
    }
}

/// Makes it on the way.
pub(super) async fn delivered(platform: &Platform, material: Material) -> Result<Download> {
    let (filename, media_type) = (material.filename(), material.media_type().to_owned());
    let left_out = material.left_out();
    if material.is_streamed() {
        let bytes = streamed(platform.clone(), material);
        return Ok(Download { filename, media_type, size: None, left_out, bytes });
    }
    let _turn = platform.export_limits().documents.acquire().await.map_err(Error::internal)?;
    let gauge = Gauge::default();
    let _cancelled_when_the_client_leaves = CancelledOnDrop(gauge.clone());
    let made = tokio::task::spawn_blocking(move || {
        let file = tempfile::tempfile().map_err(Error::internal)?;
        material.write(&file, &gauge).map_err(unmade)?;
        Ok::<_, Error>((file.metadata().map_err(Error::internal)?.len(), file))
    });
    let (size, mut file) = made.await.map_err(Error::internal)??;
    io::Seek::rewind(&mut file).map_err(Error::internal)?;
    let bytes = read(tokio::fs::File::from_std(file));
    Ok(Download { filename, media_type, size: Some(size), left_out, bytes })
}

/// Stops the writing where nobody waits for it any more.
struct CancelledOnDrop(Gauge);

impl Drop for CancelledOnDrop {
    fn drop(&mut self) {
        self.0.cancelled().store(true, Ordering::Relaxed);
    }
}

/// One that was stored before.
pub(super) async fn stored(
    platform: &Platform,
    key: &str,
    filename: String,
    media_type: String,
    left_out: Option<u64>,
) -> Result<Download> {
    let (size, bytes) = platform.objects().get(key).await?;
    let bytes = bytes.map_err(io::Error::other).boxed();
    Ok(Download { filename, media_type, size: Some(size), left_out, bytes })
}

fn read(file: tokio::fs::File) -> BoxStream<'static, io::Result<Bytes>> {
    let chunks = stream::try_unfold(file, |mut file| async move {
        let mut chunk = BytesMut::with_capacity(CHUNK);
        let read = file.read_buf(&mut chunk).await?;
        Ok((read > 0).then(|| (chunk.freeze(), file)))
    });
    chunks.boxed()
}

/// What a thread writes, as it writes it.
fn streamed(platform: Platform, material: Material) -> BoxStream<'static, io::Result<Bytes>> {
    let (sender, mut receiver) = mpsc::channel(WAITING);
    let is_whole = Arc::new(AtomicBool::new(false));
    let written = Arc::clone(&is_whole);
    tokio::spawn(async move {
        let Ok(_turn) = platform.export_limits().streams.acquire().await else { return };
        let sending = Sending { chunk: BytesMut::with_capacity(CHUNK), sender, handle: Handle::current() };
        if let Err(error) = tokio::task::spawn_blocking(move || write(&material, sending, &written)).await {
            tracing::error!(%error, "an export broke down");
        }
    });
    let mut is_ended = false;
    let chunks = stream::poll_fn(move |context| {
        if is_ended {
            return Poll::Ready(None);
        }
        let chunk = std::task::ready!(receiver.poll_recv(context));
        is_ended = chunk.is_none();
        // What ends in the middle is a broken answer, and not a short one that looks whole.
        let broken = || Err(io::Error::other("the export ended in the middle"));
        Poll::Ready(chunk.map(Ok).or_else(|| (!is_whole.load(Ordering::Acquire)).then(broken)))
    });
    chunks.boxed()
}

fn write(material: &Material, mut sending: Sending, is_whole: &AtomicBool) {
    let written = material.write(&mut sending, &Gauge::default());
    match written.map_err(io::Error::other).and_then(|()| sending.flush()) {
        Ok(()) => is_whole.store(true, Ordering::Release),
        Err(_) if sending.sender.is_closed() => {
            tracing::debug!("the client left before the export was whole");
        }
        Err(error) => tracing::error!(error = format!("{error:?}"), "an export ended in the middle"),
    }
}

/// Chunks for the client.
struct Sending {
    chunk: BytesMut,
    sender: mpsc::Sender<Bytes>,
    handle: Handle,
}

impl Write for Sending {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(CHUNK - self.chunk.len());
        self.chunk.extend_from_slice(&bytes[..taken]);
        if self.chunk.len() == CHUNK {
            self.flush()?;
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.chunk.is_empty() {
            return Ok(());
        }
        let chunk = std::mem::replace(&mut self.chunk, BytesMut::with_capacity(CHUNK)).freeze();
        let sent = self.handle.block_on(tokio::time::timeout(PATIENCE, self.sender.send(chunk)));
        match sent {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(io::Error::new(io::ErrorKind::BrokenPipe, "the client is gone")),
            Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "the client takes nothing")),
        }
    }
}
