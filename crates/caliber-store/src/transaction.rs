//! A write transaction.

use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use sea_orm::{
    ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, EntityTrait, ExecResult, QueryResult,
    QuerySelect, Select, Statement,
};
use tokio::sync::OwnedMutexGuard;

use crate::error::StoreError;
use crate::queue::Wakers;

/// A write transaction: what is done through it happens whole at [`Self::commit`], or not at all when it is dropped.
///
/// On SQLite it holds the one right to write from its beginning (`BEGIN IMMEDIATE`), so nothing read in it can have
/// changed when it writes; in this process they take turns in the order they asked. So: keep it short, wait for nothing
/// but the database in it, and never begin a second one while holding one.
pub struct Transaction {
    // Dropped, and so rolled back, before the turn is given on.
    inner: DatabaseTransaction,
    turn: Option<OwnedMutexGuard<()>>,
    wakers: Wakers,
    wake: AtomicBool,
}

impl Transaction {
    pub(crate) fn new(inner: DatabaseTransaction, turn: Option<OwnedMutexGuard<()>>, wakers: Wakers) -> Self {
        Self { inner, turn, wakers, wake: AtomicBool::new(false) }
    }

    /// Makes it happen, then wakes the workers if jobs were queued in it.
    pub async fn commit(self) -> Result<(), StoreError> {
        let Self { inner, turn, wakers, wake } = self;
        inner.commit().await?;
        drop(turn);
        if wake.into_inner() {
            wakers.wake();
        }
        Ok(())
    }

    /// Undoes it; dropping does the same without waiting for it.
    pub async fn rollback(self) -> Result<(), StoreError> {
        let Self { inner, turn, .. } = self;
        inner.rollback().await?;
        drop(turn);
        Ok(())
    }

    /// The rows found are nobody else's to change before this ends. SQLite knows no `FOR UPDATE` and needs none.
    pub(crate) fn locking<E: EntityTrait>(&self, select: Select<E>) -> Select<E> {
        match self.get_database_backend() {
            DbBackend::Postgres => select.lock_exclusive(),
            _ => select,
        }
    }

    /// Workers are to be woken after the commit.
    pub(crate) fn wake_after_commit(&self) {
        self.wake.store(true, Ordering::Relaxed);
    }
}

impl std::fmt::Debug for Transaction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Transaction").finish_non_exhaustive()
    }
}

#[async_trait]
impl ConnectionTrait for Transaction {
    fn get_database_backend(&self) -> DbBackend {
        self.inner.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.inner.execute_raw(statement).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.inner.execute_unprepared(sql).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.inner.query_one_raw(statement).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.inner.query_all_raw(statement).await
    }
}
