//! Allowlists and blocklists: plain names to upload, and the same rows with their figures and reasons.

use std::borrow::Cow;
use std::io::Write;

use caliber_engine::Result;
use caliber_engine::results::Results;

use crate::csv_text::CsvText;
use crate::failure::unwritten;

/// Bytes of rows made before they are written.
const BUFFER: usize = 1 << 16;

/// Writes `allowlist.txt` or `blocklist.txt`: a name a line, LF, no header. `rows` are row numbers of `results`
/// in list order. A line break within a name becomes a blank: one row must never block two names.
pub fn write_list_text(results: &Results, rows: &[usize], mut writer: impl Write + Send) -> Result<()> {
    let mut write = || {
        for &row in rows {
            let name = &results.names[row];
            let is_one_line = !name.bytes().any(|byte| matches!(byte, b'\r' | b'\n'));
            let line =
                if is_one_line { Cow::Borrowed(name) } else { Cow::Owned(name.replace(['\r', '\n'], " ")) };
            writer.write_all(line.as_bytes())?;
            writer.write_all(b"\n")?;
        }
        writer.flush()
    };
    write().map_err(unwritten)
}

/// Writes `allowlist.csv`, `blocklist.csv` or `watchlist.csv`: `name,score,impressions,spend,reason`. `rows` are row numbers of
/// `results` in list order; `reason` is asked with the row number.
pub fn write_list_csv(
    results: &Results,
    rows: &[usize],
    reason: impl Fn(usize) -> String,
    mut writer: impl Write + Send,
) -> Result<()> {
    let mut csv = CsvText::new();
    for name in ["name", "score", "impressions", "spend", "reason"] {
        csv.text(name);
    }
    csv.end_row();
    for &row in rows {
        csv.text(&results.names[row]);
        let spend = results.spend.as_ref().map(|spend| spend[row]);
        for number in [Some(results.scores[row]), Some(results.impressions[row]), spend] {
            csv.maybe_number(number);
        }
        csv.text(&reason(row));
        csv.end_row();
        if csv.len() > BUFFER {
            writer.write_all(&csv.take()).map_err(unwritten)?;
        }
    }
    writer.write_all(&csv.take()).and_then(|()| writer.flush()).map_err(unwritten)
}
