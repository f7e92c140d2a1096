//! Shapes that several tables' queries answer in.

use sea_orm::{ConnectionTrait, EntityTrait, FromQueryResult, PaginatorTrait, QuerySelect, Select};

use crate::error::StoreError;

/// Which part of a list is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Rows to leave out at the beginning.
    pub skip: u64,
    /// Rows to give at most.
    pub limit: u64,
}

impl Window {
    /// The first `limit` rows.
    pub fn first(limit: u64) -> Self {
        Self { skip: 0, limit }
    }
}

/// A part of a list.
#[derive(Clone, Debug, PartialEq)]
pub struct Page<T> {
    /// The rows of the window.
    pub rows: Vec<T>,
    /// How many rows the whole list has.
    pub total: u64,
}

/// What became of a change that depends on the state of the row. Told by one guarded UPDATE or DELETE, so that of two
/// at once one is refused.
#[derive(Clone, Debug, PartialEq)]
pub enum Attempt<T, Row = T> {
    /// It is done.
    Done(T),
    /// The row is there, but its state forbids the change; the row as it is.
    Refused(Row),
    /// There is no such row within reach.
    Missing,
}

/// The window of `select`, ordered by it, and how many there are.
pub(crate) async fn page<E, C>(
    db: &C,
    select: Select<E>,
    window: Window,
) -> Result<Page<E::Model>, StoreError>
where
    E: EntityTrait,
    E::Model: FromQueryResult + Send + Sync,
    C: ConnectionTrait,
{
    let total = select.clone().count(db).await?;
    // Past the largest number that both databases take there is nothing anyway.
    let skip = window.skip.min(i64::MAX as u64);
    let rows = select.offset(skip).limit(window.limit.min(i64::MAX as u64)).all(db).await?;
    Ok(Page { rows, total })
}
