//! How tables, indexes and foreign keys are written and named, once. A released migration depends on what these make: add,
//! never change.

use sea_orm_migration::prelude::*;

/// `id`: the primary key.
pub(super) fn id() -> ColumnDef {
    ColumnDef::new("id").uuid().not_null().primary_key().take()
}

/// A UUID.
pub(super) fn uuid(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).uuid().take()
}

/// Text of any length.
pub(super) fn text(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).text().take()
}

/// A JSON document, kept as text: PostgreSQL's own types lose the order of keys and refuse U+0000 in strings.
pub(super) fn json(name: &'static str) -> ColumnDef {
    text(name)
}

/// True or false.
pub(super) fn boolean(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).boolean().take()
}

/// A count of 64 bits.
pub(super) fn count(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).big_integer().take()
}

/// A small number, of 32 bits.
pub(super) fn number(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).integer().take()
}

/// A figure.
pub(super) fn figure(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).double().take()
}

/// The hash of a secret: 32 bytes.
pub(super) fn hash(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).var_binary(32).take()
}

/// A time with its zone.
pub(super) fn time(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).timestamp_with_time_zone().take()
}

/// One of `words`, refused by the database where it is none of them.
pub(super) fn word(table: &str, name: &'static str, words: &[&'static str]) -> ColumnDef {
    let known = Expr::col(name).is_in(words.iter().copied());
    ColumnDef::new(name).text().check((Alias::new(format!("ck_{table}_{name}")), known)).take()
}

/// A column that must have a value.
pub(super) fn required(mut column: ColumnDef) -> ColumnDef {
    column.not_null().take()
}

/// A table of these columns and foreign keys, which are written into it: SQLite cannot add them later.
pub(super) async fn create(
    manager: &SchemaManager<'_>,
    name: &'static str,
    columns: Vec<ColumnDef>,
    references: &[(&'static str, &'static str, ForeignKeyAction)],
) -> Result<(), DbErr> {
    let mut table = Table::create();
    table.table(name);
    for mut column in columns {
        table.col(&mut column);
    }
    for (column, target, on_delete) in references {
        table.foreign_key(
            ForeignKey::create()
                .name(format!("fk_{name}_{column}"))
                .from(name, *column)
                .to(*target, "id")
                .on_delete(*on_delete),
        );
    }
    manager.create_table(table).await
}

/// An index: `ix_<table>_<columns>`.
pub(super) async fn index(
    manager: &SchemaManager<'_>,
    table: &'static str,
    columns: &[&'static str],
) -> Result<(), DbErr> {
    manager.create_index(on(table, columns, "ix")).await
}

/// A unique index: `uq_<table>_<columns>`, the name that a conflict is told by on both databases.
pub(super) async fn unique(
    manager: &SchemaManager<'_>,
    table: &'static str,
    columns: &[&'static str],
) -> Result<(), DbErr> {
    manager.create_index(on(table, columns, "uq").unique().take()).await
}

/// As [`unique`], of the rows that `condition` holds for alone.
pub(super) async fn unique_where(
    manager: &SchemaManager<'_>,
    table: &'static str,
    columns: &[&'static str],
    condition: Expr,
) -> Result<(), DbErr> {
    manager.create_index(on(table, columns, "uq").unique().cond_where(condition).take()).await
}

fn on(table: &'static str, columns: &[&'static str], kind: &str) -> IndexCreateStatement {
    let mut index = Index::create();
    index.table(table).name(format!("{kind}_{table}_{}", columns.join("_")));
    for column in columns {
        index.col(*column);
    }
    index
}

/// Drops tables, in this order.
pub(super) async fn drop_all(manager: &SchemaManager<'_>, tables: &[&'static str]) -> Result<(), DbErr> {
    for table in tables {
        manager.drop_table(Table::drop().table(*table).take()).await?;
    }
    Ok(())
}
