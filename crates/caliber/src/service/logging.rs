//! The log: for people at a terminal, as JSON otherwise; in a folder with rotation where one is set.

use std::path::Path;
use std::sync::Mutex;

use caliber_engine::{Code, Error, Result};
use file_rotate::compression::Compression;
use file_rotate::suffix::AppendCount;
use file_rotate::{ContentLimit, FileRotate};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry, fmt};

use super::is_watched;
use crate::settings::Settings;

/// A file of the log is turned over at this size.
const FILE_BYTES: usize = 10 << 20;
/// Files kept beside the one that is written.
const FILES_KEPT: usize = 5;

/// Begins the log. Where it is begun already it stays as it is.
pub(crate) fn begin(settings: &Settings) -> Result<()> {
    let filter = EnvFilter::try_new(&settings.log).map_err(|error| {
        Error::new(Code::BadOption, format!("CALIBER_LOG is `{}`, and {error}", settings.log))
            .help("write a level, as in `info`, or target=level,... as in `info,caliber_server=debug`")
    })?;
    let mut layers: Vec<Box<dyn Layer<Registry> + Send + Sync>> = Vec::new();
    layers.push(if is_watched() {
        fmt::layer().with_writer(std::io::stderr).with_target(false).with_filter(filter.clone()).boxed()
    } else {
        fmt::layer()
            .json()
            .flatten_event(true)
            .with_writer(std::io::stderr)
            .with_filter(filter.clone())
            .boxed()
    });
    if let Some(folder) = &settings.log_dir {
        std::fs::create_dir_all(folder).map_err(|error| {
            Error::new(Code::Machine, format!("the folder of logs cannot be made: {error}"))
                .in_file(folder.display().to_string())
                .help("set CALIBER_LOG_DIR to a folder that can be written")
        })?;
        let json = |name| fmt::layer().json().flatten_event(true).with_writer(rotated(&folder.join(name)));
        layers.push(json("caliber.log").with_filter(filter).boxed());
        layers.push(json("errors.log").with_filter(LevelFilter::ERROR).boxed());
    }
    let log = tracing_subscriber::registry().with(layers);
    // Tests begin several services in one process.
    let _ = log.try_init();
    Ok(())
}

fn rotated(path: &Path) -> Mutex<FileRotate<AppendCount>> {
    let limit = ContentLimit::BytesSurpassed(FILE_BYTES);
    Mutex::new(FileRotate::new(path, AppendCount::new(FILES_KEPT), limit, Compression::None, None))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn a_log_is_turned_over_at_its_size_and_the_oldest_goes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("caliber.log");
        let log = rotated(&path);
        let line = [&[b'x'; 1023][..], b"\n"].concat();
        let mut writer = log.lock().unwrap();
        for _ in 0..(FILES_KEPT + 2) * (FILE_BYTES / line.len() + 1) {
            writer.write_all(&line).unwrap();
        }
        writer.flush().unwrap();
        let mut files: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap()).collect();
        files.sort_by_key(std::fs::DirEntry::file_name);
        let names: Vec<_> = files.iter().map(|file| file.file_name().into_string().unwrap()).collect();
        let kept = (1..=FILES_KEPT).map(|number| format!("caliber.log.{number}"));
        assert_eq!(names, std::iter::once("caliber.log".to_owned()).chain(kept).collect::<Vec<_>>());
        for file in &files {
            assert!(file.metadata().unwrap().len() <= (FILE_BYTES + line.len()) as u64, "{file:?}");
        }
    }
}
