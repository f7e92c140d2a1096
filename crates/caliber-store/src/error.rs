//! What can go wrong with what is kept.

use sea_orm::sqlx::Error as SqlxError;
use sea_orm::{DbErr, RuntimeErr, SqlErr};

use crate::objects::ObjectError;

/// An error of the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A row with these values is there already. In a transaction of PostgreSQL nothing more can be done but to roll
    /// back.
    #[error("there is one already: {constraint}")]
    Conflict {
        /// `uq_<table>_<columns>`, the same on both databases; one of the `UNIQUE_` constants beside the tables.
        constraint: String,
    },
    /// A row refers to one that is not there, or one to be deleted is still referred to.
    #[error("a row is missing or still in use: {0}")]
    Reference(String),
    /// Text that PostgreSQL cannot hold: with a character U+0000.
    #[error("text with a NUL character cannot be kept")]
    Text,
    /// The job is no longer ours: its lease ran out and another worker has it, or it was deleted. What was done in the
    /// transaction must be rolled back.
    #[error("the lease of the job is lost")]
    LeaseLost,
    /// The database does not answer, or is too busy; the same call may succeed later.
    #[error("the database is not available")]
    Unavailable(#[source] DbErr),
    /// Any other failure of the database: a bug, or a schema that is not ours.
    #[error("the database refused")]
    Database(#[source] DbErr),
    /// A stored file.
    #[error(transparent)]
    Objects(#[from] ObjectError),
    /// A database address that is neither `sqlite:` nor `postgres:`, or cannot be read.
    #[error("no database can be reached by {url}: {why}")]
    Address {
        /// The address without its password.
        url: String,
        /// What is wrong with it.
        why: String,
    },
    /// A file or folder beside the database: the database's own folder, or a worker's lock.
    #[error("{path}: {source}")]
    Folder {
        /// Where.
        path: std::path::PathBuf,
        /// What happened.
        source: std::io::Error,
    },
}

impl StoreError {
    /// Whether this is a conflict over the named unique index.
    pub fn conflicts_on(&self, unique: &str) -> bool {
        matches!(self, Self::Conflict { constraint } if constraint == unique)
    }

    /// Whether the same call may succeed later.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }
}

impl From<DbErr> for StoreError {
    fn from(error: DbErr) -> Self {
        match error.sql_err() {
            Some(SqlErr::UniqueConstraintViolation(message)) => {
                return Self::Conflict { constraint: unique_constraint(&error, &message) };
            }
            Some(SqlErr::ForeignKeyConstraintViolation(message)) => return Self::Reference(message),
            _ => {}
        }
        match &error {
            DbErr::ConnectionAcquire(_) | DbErr::Conn(_) => return Self::Unavailable(error),
            _ => {}
        }
        match driver_error(&error) {
            Some(SqlxError::Database(database)) => {
                let code = database.code().unwrap_or_default().into_owned();
                match code.as_str() {
                    // SQLite tells of ON DELETE RESTRICT as of a trigger.
                    "1811" => Self::Reference(database.message().to_owned()),
                    "22021" | "22P05" => Self::Text,
                    code if passes(code) => Self::Unavailable(error),
                    _ => Self::Database(error),
                }
            }
            Some(
                SqlxError::Io(_)
                | SqlxError::Tls(_)
                | SqlxError::PoolTimedOut
                | SqlxError::PoolClosed
                | SqlxError::WorkerCrashed,
            ) => Self::Unavailable(error),
            _ => Self::Database(error),
        }
    }
}

/// Codes of states that pass. PostgreSQL: connection lost (08), resources (53), shutdown (57P), serialisation and
/// deadlock (40). SQLite: busy and locked with their extended codes, full.
fn passes(code: &str) -> bool {
    let postgres = code.len() == 5
        && ["08", "53", "57P", "40001", "40P01", "55P03"].iter().any(|class| code.starts_with(class));
    let sqlite = code.len() < 5 && code.parse::<u32>().is_ok_and(|code| matches!(code & 0xff, 5 | 6 | 13));
    postgres || sqlite
}

/// The name of the unique index. PostgreSQL gives it; SQLite gives the columns, which make up the name.
fn unique_constraint(error: &DbErr, message: &str) -> String {
    if let Some(SqlxError::Database(database)) = driver_error(error)
        && let Some(name) = database.constraint()
    {
        return name.to_owned();
    }
    let columns = message.rsplit(": ").next().unwrap_or(message);
    let mut name = String::from("uq");
    for (index, column) in columns.split(", ").enumerate() {
        let (table, column) = column.split_once('.').unwrap_or(("", column));
        if index == 0 {
            name.push('_');
            name.push_str(table);
        }
        name.push('_');
        name.push_str(column);
    }
    name
}

fn driver_error(error: &DbErr) -> Option<&SqlxError> {
    match error {
        DbErr::Exec(RuntimeErr::SqlxError(error))
        | DbErr::Query(RuntimeErr::SqlxError(error))
        | DbErr::Conn(RuntimeErr::SqlxError(error)) => Some(error.as_ref()),
        _ => None,
    }
}
