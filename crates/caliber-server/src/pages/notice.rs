//! What was just done, told on the page that one is sent to: `?done=saved`.

/// A thing that was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Notice {
    Saved,
    Deleted,
    PasswordChanged,
    Registered,
    SignedOut,
    Cancelled,
    Started,
    Joined,
    Withdrawn,
    Asked,
}

impl Notice {
    const ALL: [Self; 10] = [
        Self::Saved,
        Self::Deleted,
        Self::PasswordChanged,
        Self::Registered,
        Self::SignedOut,
        Self::Cancelled,
        Self::Started,
        Self::Joined,
        Self::Withdrawn,
        Self::Asked,
    ];

    /// As it stands in the address.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Saved => "saved",
            Self::Deleted => "deleted",
            Self::PasswordChanged => "password-changed",
            Self::Registered => "registered",
            Self::SignedOut => "signed-out",
            Self::Cancelled => "cancelled",
            Self::Started => "started",
            Self::Joined => "joined",
            Self::Withdrawn => "withdrawn",
            Self::Asked => "asked",
        }
    }

    /// The key of its text.
    pub(crate) fn key(self) -> &'static str {
        match self {
            Self::Saved => "notice-saved",
            Self::Deleted => "notice-deleted",
            Self::PasswordChanged => "notice-password-changed",
            Self::Registered => "notice-registered",
            Self::SignedOut => "notice-signed-out",
            Self::Cancelled => "notice-cancelled",
            Self::Started => "notice-started",
            Self::Joined => "notice-joined",
            Self::Withdrawn => "notice-withdrawn",
            Self::Asked => "notice-asked",
        }
    }

    /// The notice that a query asks for.
    pub(super) fn of(query: &str) -> Option<Self> {
        let (_, word) = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "done")?;
        Self::ALL.into_iter().find(|notice| notice.word() == word)
    }

    /// The address of a page that is to tell it.
    pub(crate) fn at(self, path: &str) -> String {
        let join = if path.contains('?') { '&' } else { '?' };
        format!("{path}{join}done={}", self.word())
    }
}
