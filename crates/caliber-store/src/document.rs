//! JSON documents in columns.

use std::fmt;
use std::ops::Deref;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Json;

/// A JSON document as a column has it: text, so that keys keep their order, figures their digits and strings every
/// character on both databases (PostgreSQL's own JSON types lose the first and refuse U+0000).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, sea_orm::DeriveValueType)]
#[sea_orm(value_type = "String", column_type = "Text")]
#[serde(transparent)]
pub struct Document(pub Json);

impl fmt::Display for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Document {
    type Err = serde_json::Error;

    fn from_str(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text).map(Self)
    }
}

impl From<Json> for Document {
    fn from(json: Json) -> Self {
        Self(json)
    }
}

impl Deref for Document {
    type Target = Json;

    fn deref(&self) -> &Json {
        &self.0
    }
}
