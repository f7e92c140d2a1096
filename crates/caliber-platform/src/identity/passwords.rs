//! Passwords: judged, hashed and verified.

use std::sync::LazyLock;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use tokio::sync::Semaphore;
use zxcvbn::Score;

use crate::error::{Error, Problem, Result};

/// Characters of a password that are taken: beyond it only the work grows.
const MOST: usize = 128;

/// Each hash takes 19 MiB and tens of milliseconds, so only a few are made at once.
static AT_ONCE: LazyLock<Semaphore> =
    LazyLock::new(|| Semaphore::new(std::thread::available_parallelism().map_or(1, std::num::NonZero::get)));

/// Refuses a password that is easily guessed (zxcvbn below 3 of 4), and says why. `field` is its place in the call,
/// `known` are words an attacker would try first: the address and the name.
pub(crate) fn judge(password: &str, field: &str, known: &[&str]) -> Result<()> {
    if password.chars().count() > MOST {
        return Err(Error::invalid(field, format!("a password has at most {MOST} characters")));
    }
    let entropy = zxcvbn::zxcvbn(password, known);
    if entropy.score() >= Score::Three {
        return Ok(());
    }
    let mut reasons = Vec::new();
    if let Some(feedback) = entropy.feedback() {
        reasons.extend(feedback.warning().map(|warning| warning.to_string()));
        reasons.extend(feedback.suggestions().iter().map(ToString::to_string));
    }
    if reasons.is_empty() {
        reasons.push("It is too easily guessed. Use a few unusual words in a row.".to_owned());
    }
    let problem = |message| Problem { field: field.to_owned(), message };
    Err(Error::Invalid(reasons.into_iter().map(problem).collect()))
}

/// The hash (argon2id) of a password, to be stored.
pub(crate) async fn hash(password: String) -> Result<String> {
    in_turn(move || {
        let hash = Argon2::default().hash_password(password.as_bytes());
        hash.map(|hash| hash.to_string()).map_err(|error| Error::internal(error.to_string()))
    })
    .await?
}

/// Whether a password is that of a stored hash. Without a hash it takes as long and is false, so that nobody can tell
/// by the time whether an account exists.
pub(crate) async fn is_right(password: String, hash: Option<String>) -> Result<bool> {
    static NOBODYS: LazyLock<String> = LazyLock::new(|| {
        let hash = Argon2::default().hash_password(b"nobody's");
        hash.map(|hash| hash.to_string()).unwrap_or_default()
    });
    if password.chars().count() > MOST {
        return Ok(false);
    }
    in_turn(move || {
        let is_somebodys = hash.is_some();
        let hash = hash.unwrap_or_else(|| NOBODYS.clone());
        let verified = PasswordHash::new(&hash)
            .is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok());
        verified && is_somebodys
    })
    .await
}

async fn in_turn<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    let turn = AT_ONCE.acquire().await.map_err(Error::internal)?;
    let done = tokio::task::spawn_blocking(work).await.map_err(Error::internal);
    drop(turn);
    done
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guessable_passwords_are_refused_with_reasons() {
        for password in ["", "password", "qwerty123", "ana@example.com", "aaaaaaaaaaaa"] {
            let refused = judge(password, "password", &["ana@example.com", "Ana"]);
            let Err(Error::Invalid(problems)) = refused else { panic!("{password} was taken") };
            assert!(!problems.is_empty());
            assert!(
                problems.iter().all(|problem| problem.field == "password" && !problem.message.is_empty())
            );
        }
        assert!(judge("correct horse battery staple", "password", &[]).is_ok());
        assert!(judge(&"long and winding ".repeat(10), "password", &[]).is_err());
    }

    #[tokio::test]
    async fn a_hash_verifies_its_password_only() {
        let stored = hash("brass lantern 41".into()).await.unwrap();
        assert!(stored.starts_with("$argon2id$"));
        assert!(is_right("brass lantern 41".into(), Some(stored.clone())).await.unwrap());
        assert!(!is_right("brass lantern 42".into(), Some(stored)).await.unwrap());
        assert!(!is_right("nobody's".into(), None).await.unwrap());
    }
}
