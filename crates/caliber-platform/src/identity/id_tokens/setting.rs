//! Which issuers are trusted, as the settings say.

use url::{Host, Url};

/// An issuer whose tokens for an audience sign in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedIssuer {
    /// As its tokens name it, to the letter.
    pub url: String,
    /// Whom its tokens must be for: our client there.
    pub audience: String,
}

/// The issuers of a comma-separated list of `issuer=audience`.
///
/// # Errors
/// What is wrong with the list, for whoever wrote it.
pub fn trusted_issuers(list: &str) -> Result<Vec<TrustedIssuer>, String> {
    list.split(',').map(str::trim).filter(|part| !part.is_empty()).map(TrustedIssuer::parse).collect()
}

impl TrustedIssuer {
    /// Firebase's issuer of a project.
    ///
    /// # Errors
    /// Where it is no name of a project.
    pub fn firebase(project: &str) -> Result<Self, String> {
        let is_name = !project.is_empty()
            && project.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if !is_name {
            return Err("it is the id of a Firebase project, as in my-project-1234".to_owned());
        }
        let url = format!("https://securetoken.google.com/{project}");
        Ok(Self { url, audience: project.to_owned() })
    }

    /// How many keys of it verify ID tokens now; for those who ask whether it answers.
    ///
    /// # Errors
    /// What it did not answer, and why, for a person.
    pub async fn count_keys(&self) -> Result<usize, String> {
        super::issuer::fetch(&self.url).await.map(|keys| keys.len()).map_err(|missing| missing.to_string())
    }

    fn parse(text: &str) -> Result<Self, String> {
        let wrong = || "it lists issuer=audience, as in https://accounts.example.com=my-client".to_owned();
        let (url, audience) = text.split_once('=').ok_or_else(wrong)?;
        let (url, audience) = (url.trim(), audience.trim());
        let parsed = Url::parse(url).map_err(|_| wrong())?;
        let is_bare = parsed.query().is_none()
            && parsed.fragment().is_none()
            && parsed.username().is_empty()
            && parsed.password().is_none();
        if audience.is_empty() || !is_bare {
            return Err(wrong());
        }
        if parsed.scheme() != "https" && !(parsed.scheme() == "http" && is_on_this_machine(&parsed)) {
            return Err(format!("{url} is not https: whoever is on the way could give keys of their own"));
        }
        Ok(Self { url: url.to_owned(), audience: audience.to_owned() })
    }
}

/// Whether an address never leaves this machine.
pub(super) fn is_on_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn issuers_are_listed_with_their_audiences() {
        let parsed = trusted_issuers(
            " https://accounts.example.com=one, https://tenant.example.com/=a=b,http://localhost:9/x=y,\
             http://127.0.0.1:9=z,http://[::1]:9=z,",
        )
        .unwrap();
        let pairs: Vec<_> = parsed.iter().map(|it| (it.url.as_str(), it.audience.as_str())).collect();
        assert_eq!(
            pairs,
            [
                ("https://accounts.example.com", "one"),
                ("https://tenant.example.com/", "a=b"),
                ("http://localhost:9/x", "y"),
                ("http://127.0.0.1:9", "z"),
                ("http://[::1]:9", "z"),
            ]
        );
        assert_eq!(trusted_issuers("").unwrap(), []);
        let firebase = TrustedIssuer::firebase("my-project-1").unwrap();
        assert_eq!(
            (firebase.url.as_str(), firebase.audience.as_str()),
            ("https://securetoken.google.com/my-project-1", "my-project-1")
        );
    }

    #[test]
    fn what_could_be_somebody_elses_is_refused() {
        for wrong in [
            "accounts.example.com=one",
            "https://accounts.example.com",
            "https://accounts.example.com=",
            "https://accounts.example.com?a=one",
            "https://me:secret@accounts.example.com=one",
            "https://accounts.example.com#x=one",
            "http://accounts.example.com=one",
            "http://localhost.example.com=one",
            "http://10.0.0.1=one",
            "ftp://127.0.0.1=one",
            "=one",
        ] {
            assert!(trusted_issuers(wrong).is_err(), "{wrong}");
        }
        for wrong in ["", "a/b", "a.b", "My-Project", "a?b"] {
            assert!(TrustedIssuer::firebase(wrong).is_err(), "{wrong}");
        }
    }
}
