//! A file read by position, from several threads at once.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::sync::Arc;

use bytes::Bytes;
use parquet::errors::{ParquetError, Result as ParquetResult};
use parquet::file::reader::{ChunkReader, Length};

use super::malformed;
use crate::{Code, Error, Result};

/// The file and its length on opening.
///
/// The crate's own reader of files shares one place in the file among threads, and makes room for as many bytes
/// as the file claims to have; here reads are by position, and end where the file does.
#[derive(Clone, Debug)]
pub(super) struct Source {
    file: Arc<File>,
    length: u64,
}

impl Source {
    pub(super) fn open(file: File) -> Result<Self> {
        let length = file.metadata().map_err(unreadable)?.len();
        Ok(Self { file: Arc::new(file), length })
    }

    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Tells a file that ends early, or is no Parquet at all, by the marks at both ends.
    pub(super) fn check_ends(&self) -> Result<()> {
        let mut mark = [0; 4];
        if self.length < 12 {
            return Err(malformed("it is too short to be one"));
        }
        read_exact_at(&self.file, &mut mark, 0).map_err(unreadable)?;
        let starts = &mark == b"PAR1";
        read_exact_at(&self.file, &mut mark, self.length - 4).map_err(unreadable)?;
        match (starts, &mark) {
            (_, b"PARE") => Err(Error::new(Code::Encrypted, "the Parquet file is encrypted")
                .help("Export the report without encryption.")),
            (true, b"PAR1") => Ok(()),
            (true, _) => {
                Err(Error::new(Code::Truncated, "the Parquet file ends in the middle: its footer is missing")
                    .help("Download or export the report again."))
            }
            (false, _) => Err(malformed("it lacks the mark PAR1 at its start")),
        }
    }

    /// Reads at most `length` bytes from a place.
    pub(super) fn read_some(&self, start: u64, length: usize) -> io::Result<Vec<u8>> {
        let left = self.length.saturating_sub(start).min(length as u64) as usize;
        let mut bytes = vec![0; left];
        read_exact_at(&self.file, &mut bytes, start)?;
        Ok(bytes)
    }
}

impl Length for Source {
    fn len(&self) -> u64 {
        self.length
    }
}

impl ChunkReader for Source {
    type T = BufReader<From>;

    fn get_read(&self, start: u64) -> ParquetResult<Self::T> {
        Ok(BufReader::new(From { source: self.clone(), at: start }))
    }

    fn get_bytes(&self, start: u64, length: usize) -> ParquetResult<Bytes> {
        if start.checked_add(length as u64).is_none_or(|end| end > self.length) {
            return Err(ParquetError::EOF(format!(
                "{length} bytes wanted at byte {start} of {}",
                self.length
            )));
        }
        Ok(self.read_some(start, length)?.into())
    }
}

/// A reader from a place on.
pub(super) struct From {
    source: Source,
    at: u64,
}

impl Read for From {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.source.length.saturating_sub(self.at).min(buffer.len() as u64) as usize;
        read_exact_at(&self.source.file, &mut buffer[..count], self.at)?;
        self.at += count as u64;
        Ok(count)
    }
}

#[cfg(unix)]
fn read_exact_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, buffer, at)
}

#[cfg(windows)]
fn read_exact_at(file: &File, mut buffer: &mut [u8], mut at: u64) -> io::Result<()> {
    while !buffer.is_empty() {
        match std::os::windows::fs::FileExt::seek_read(file, buffer, at) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => {
                buffer = &mut buffer[count..];
                at += count as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

pub(super) fn unreadable(error: io::Error) -> Error {
    Error::new(Code::NotReadable, format!("the Parquet file cannot be read: {error}")).caused_by(error)
}
