//! The command line.

#[expect(dead_code, reason = "its command is not wired yet")]
mod commands {
    pub(crate) mod xls_sheet;
}

fn main() {}
