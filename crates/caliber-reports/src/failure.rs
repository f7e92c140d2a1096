//! What the machine refused, in words.

use std::io::{self, ErrorKind};

use caliber_engine::{Code, Error};

/// A failure of the machine: what was attempted, the system's reason, and what to do about it.
pub(crate) fn refused(attempt: &str, cause: io::Error) -> Error {
    let error = Error::new(Code::Machine, format!("cannot {attempt}: {cause}"));
    let error = match cause.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
            error.help("free some space, or choose another folder with --out DIR")
        }
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            error.help("choose a folder you may write to with --out DIR")
        }
        ErrorKind::AlreadyExists | ErrorKind::NotADirectory | ErrorKind::IsADirectory => {
            error.help("move what stands in the way, or choose another folder with --out DIR")
        }
        _ => error,
    };
    error.caused_by(cause)
}

/// A failed write of a file: the system's reason and what to do about it. The caller knows the file and adds it.
pub fn unwritten(cause: io::Error) -> Error {
    refused("write the file", cause)
}
