//! What can be wrong with a question.

/// Why a question has no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An option of the call is wrong, or asks what these rows cannot answer.
    #[error("{message}")]
    Option {
        /// The option: `method`, `contamination`, `weights`. It is the field of the API and, after `--`, the flag.
        option: &'static str,
        /// What was given and what is allowed, one sentence without a full stop.
        message: String,
    },
    /// No row has the name that was asked for.
    #[error("there is no `{given}` in the results")]
    UnknownName {
        /// The name as it was asked for.
        given: String,
        /// Up to three names that were probably meant, the nearest first.
        nearest: Vec<String>,
    },
    /// Scoring again, or something below it, failed.
    #[error(transparent)]
    Engine(#[from] caliber_engine::Error),
}

impl Error {
    /// An option that is wrong.
    pub(crate) fn option(option: &'static str, message: impl Into<String>) -> Self {
        Self::Option { option, message: message.into() }
    }
}

/// What the word of an option stands for.
pub(crate) fn chosen<T: Copy>(option: &'static str, word: &str, all: &[(&'static str, T)]) -> Result<T> {
    all.iter().find(|(known, _)| *known == word).map(|&(_, choice)| choice).ok_or_else(|| {
        let known: Vec<&str> = all.iter().map(|&(known, _)| known).collect();
        Error::option(option, format!("`{word}` is not known; give one of {}", known.join(", ")))
    })
}

/// The result of everything that can fail in this crate.
pub type Result<T> = std::result::Result<T, Error>;
