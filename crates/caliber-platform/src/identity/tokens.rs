//! Access tokens (JWT, HS256), and the texts that carry a session's secret.

use caliber_store::{SessionId, UserId};
use chrono::{DateTime, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::keys::{Secrets, Use};
use crate::error::{Error, Result};

/// How long an access token holds, in seconds.
pub const ACCESS_SECONDS: i64 = 900;

#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    /// The user.
    sub: UserId,
    /// The session, which may end before the token does.
    sid: SessionId,
    iat: i64,
    exp: i64,
}

/// Whom an access token stands for, if its session still lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bearer {
    pub(crate) user: UserId,
    pub(crate) session: SessionId,
}

/// Signs an access token.
pub(crate) fn issue(secrets: &Secrets, bearer: Bearer, now: DateTime<Utc>) -> Result<String> {
    let key = secrets.signing(Use::AccessToken);
    let header = Header { kid: Some(key.id), ..Header::new(Algorithm::HS256) };
    let iat = now.timestamp();
    let claims = Claims { sub: bearer.user, sid: bearer.session, iat, exp: iat + ACCESS_SECONDS };
    jsonwebtoken::encode(&header, &claims, &EncodingKey::from_secret(&key.bytes)).map_err(Error::internal)
}

/// Whom a token stands for; `None` where it is not ours, was changed or has run out.
pub(crate) fn verify(secrets: &Secrets, token: &str, now: DateTime<Utc>) -> Option<Bearer> {
    let kid = jsonwebtoken::decode_header(token).ok()?.kid?;
    let key = secrets.verifying(Use::AccessToken).find(|key| key.id == kid)?;
    let mut validation = Validation::new(Algorithm::HS256);
    // Judged below, by the clock that is given.
    validation.validate_exp = false;
    validation.validate_aud = false;
    let decoded =
        jsonwebtoken::decode::<Claims>(token, &DecodingKey::from_secret(&key.bytes), &validation).ok()?;
    let Claims { sub, sid, exp, .. } = decoded.claims;
    (now.timestamp() < exp).then_some(Bearer { user: sub, session: sid })
}

/// The text that carries a session and its secret: a refresh token, or a session cookie.
pub(crate) fn join(session: SessionId, secret: &str) -> String {
    format!("{}.{secret}", session.0.simple())
}

/// The session and the secret of such a text.
pub(crate) fn split(text: &str) -> Option<(SessionId, &str)> {
    let (session, secret) = text.split_once('.')?;
    Some((SessionId(Uuid::try_parse(session).ok()?), secret))
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    fn secrets(current: &str) -> Secrets {
        Secrets::new(current.into(), Vec::new())
    }

    fn bearer() -> Bearer {
        Bearer { user: UserId(Uuid::now_v7()), session: SessionId(Uuid::now_v7()) }
    }

    #[test]
    fn a_token_holds_for_fifteen_minutes() {
        let (bearer, now) = (bearer(), DateTime::UNIX_EPOCH + TimeDelta::days(20_000));
        let token = issue(&secrets("one"), bearer, now).unwrap();
        let after = |seconds| verify(&secrets("one"), &token, now + TimeDelta::seconds(seconds));
        assert_eq!(after(0), Some(bearer));
        assert_eq!(after(899), Some(bearer));
        assert_eq!(after(900), None);
    }

    #[test]
    fn only_tokens_of_our_secrets_count() {
        let (bearer, now) = (bearer(), DateTime::UNIX_EPOCH);
        let token = issue(&secrets("old"), bearer, now).unwrap();
        assert_eq!(verify(&secrets("new"), &token, now), None);
        let rotated = Secrets::new("new".into(), vec!["old".into()]);
        assert_eq!(verify(&rotated, &token, now), Some(bearer));
    }

    #[test]
    fn an_unsigned_or_changed_token_is_refused() {
        let now = DateTime::UNIX_EPOCH;
        let token = issue(&secrets("one"), bearer(), now).unwrap();
        let parts: Vec<&str> = token.split('.').collect();
        // {"alg":"none","typ":"JWT"}
        let unsigned = format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{}.", parts[1]);
        let other = issue(&secrets("one"), bearer(), now).unwrap();
        let swapped = format!("{}.{}.{}", parts[0], other.split('.').nth(1).unwrap(), parts[2]);
        for wrong in ["", "a.b.c", parts[1], &unsigned, &swapped] {
            assert_eq!(verify(&secrets("one"), wrong, now), None, "{wrong}");
        }
    }

    #[test]
    fn a_sessions_text_gives_back_its_parts() {
        let session = SessionId(Uuid::now_v7());
        let text = join(session, "secret-_");
        assert_eq!(split(&text), Some((session, "secret-_")));
        for wrong in ["", ".", "x.y", "nothing"] {
            assert_eq!(split(wrong), None);
        }
    }
}
