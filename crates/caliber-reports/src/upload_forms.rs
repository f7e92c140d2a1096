//! The forms in which DSPs take lists of sites and apps. A form is a description in `upload-forms/<name>.toml`; there
//! is no code of any DSP.

mod files;
mod layout;
mod names;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use caliber_engine::recipe::Dimension;
use caliber_engine::{Code, Error, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use files::{LeftOut, MANIFEST, Manifest, ManifestFile, UploadFile, UploadFiles};
use layout::Layout;
pub use names::Inventory;

/// The shipped forms, in the order they are shown.
const SHIPPED: [&str; 8] = [
    include_str!("../upload-forms/trade_desk_csv.toml"),
    include_str!("../upload-forms/trade_desk_json.toml"),
    include_str!("../upload-forms/dv360.toml"),
    include_str!("../upload-forms/xandr.toml"),
    include_str!("../upload-forms/amazon.toml"),
    include_str!("../upload-forms/yahoo.toml"),
    include_str!("../upload-forms/basis.toml"),
    include_str!("../upload-forms/text.toml"),
];

/// Which list is uploaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum ListKind {
    /// What to buy.
    #[serde(rename = "allowlist")]
    Allow,
    /// What to block.
    #[serde(rename = "blocklist")]
    Block,
}

impl ListKind {
    /// Both of them.
    pub const ALL: [Self; 2] = [Self::Allow, Self::Block];

    /// The word in files and their names: `allowlist`, `blocklist`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Allow => "allowlist",
            Self::Block => "blocklist",
        }
    }
}

/// How one DSP takes a list.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UploadForm {
    name: String,
    label: String,
    extension: String,
    media_type: String,
    sites_only: bool,
    #[serde(default)]
    split_apps: bool,
    /// Names in one file, at most.
    limit: Option<usize>,
    /// Characters of one name, at most.
    longest_name: Option<usize>,
    /// Labels before the registrable domain, at most.
    subdomain_levels: Option<usize>,
    verified: String,
    unverified: Option<String>,
    layout: Layout,
    /// What the words of the layout stand for in an allowlist.
    #[serde(default)]
    allow: BTreeMap<String, Value>,
    /// What they stand for in a blocklist.
    #[serde(default)]
    block: BTreeMap<String, Value>,
}

impl UploadForm {
    /// All of them, in the order they are shown.
    pub fn all() -> &'static [Self] {
        static FORMS: LazyLock<Vec<UploadForm>> = LazyLock::new(|| {
            let read = |text: &&str| {
                toml::from_str(text).unwrap_or_else(|error| {
                    // The texts are part of the program, and a test reads each of them.
                    unreachable!("a shipped form cannot be read: {error}")
                })
            };
            SHIPPED.iter().map(read).collect()
        });
        &FORMS
    }

    /// The form of a name, as in `dv360`.
    ///
    /// # Errors
    /// [`Code::NotFound`] where there is none; the help lists them.
    pub fn by_name(name: &str) -> Result<&'static Self> {
        Self::all().iter().find(|form| form.name == name).ok_or_else(|| {
            let known: Vec<&str> = Self::all().iter().map(Self::name).collect();
            Error::new(Code::NotFound, format!("there is no upload form `{name}`"))
                .help(format!("take one of {}", known.join(", ")))
        })
    }

    /// The word in options and files, as in `trade_desk_csv`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What people call it.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// Whether it takes domains and app ids only, so that vendors are refused.
    pub fn sites_only(&self) -> bool {
        self.sites_only
    }

    /// Names in one file, at most; `None` where no limit is known.
    pub fn limit(&self) -> Option<usize> {
        self.limit
    }

    /// Characters of one name, at most; `None` where no limit is known.
    pub fn longest_name(&self) -> Option<usize> {
        self.longest_name
    }

    /// Labels before the registrable domain, at most; `None` where no limit is known.
    pub fn subdomain_levels(&self) -> Option<usize> {
        self.subdomain_levels
    }

    /// Whether sites and apps are in files of their own.
    pub fn splits_apps(&self) -> bool {
        self.split_apps
    }

    /// How many of the names the form cannot hold; `None` where it takes none, as vendors where it wants sites.
    pub fn left_out(&self, dimension: Dimension, names: &[String]) -> Option<usize> {
        if !self.takes(dimension) {
            return None;
        }
        let cannot = |name: &&String| names::obstacle(self, name, || names::kind(name, dimension)).is_some();
        Some(names.iter().filter(cannot).count())
    }

    /// What of it a public description confirms, in words.
    pub fn verified(&self) -> &str {
        &self.verified
    }

    /// What of it no public description confirms, in words.
    pub fn unverified(&self) -> Option<&str> {
        self.unverified.as_deref()
    }

    /// The files to upload for a list, in list order. `base_name` begins the name of each, as in `blocklist`; what no
    /// file system takes in it is replaced. An empty list gives one file without a name in it.
    ///
    /// Names are written as they are, never neutralised: machines read these files. Those that the form cannot hold
    /// are left out and stand in [`UploadFiles::left_out`] with the reason.
    ///
    /// # Errors
    /// [`Code::BadOption`] where the names are vendors and the form wants sites.
    pub fn files(
        &'static self,
        list: ListKind,
        dimension: Dimension,
        names: &[&str],
        base_name: &str,
    ) -> Result<UploadFiles> {
        if !self.takes(dimension) {
            let message = format!("the rows are supply vendors, and {} takes domains and app ids", self.name);
            return Err(Error::new(Code::BadOption, message)
                .help("score the report by domain, or take the form text, which holds any names"));
        }
        Ok(files::made(self, list, dimension, names, base_name))
    }

    fn takes(&self, dimension: Dimension) -> bool {
        !(self.sites_only && dimension == Dimension::SupplyVendor)
    }

    fn words(&self, list: ListKind) -> &BTreeMap<String, Value> {
        match list {
            ListKind::Allow => &self.allow,
            ListKind::Block => &self.block,
        }
    }
}
