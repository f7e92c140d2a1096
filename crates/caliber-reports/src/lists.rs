//! Allowlists and blocklists: plain names to upload, and the same rows with their figures and reasons.

use std::io::Write;

use caliber_engine::Result;
use caliber_engine::results::Results;

use crate::failure::unwritten;
use crate::neutralise::neutralise;
use crate::number_text::NumberText;
use crate::results_csv::{delimited, io_error};

/// Writes `allowlist.txt` or `blocklist.txt`: a name a line, LF, no header. `rows` are row numbers of `results`
/// in list order. A line break within a name becomes a blank: one row must never block two names.
pub fn write_list_text(results: &Results, rows: &[usize], mut writer: impl Write + Send) -> Result<()> {
    let mut write = || {
        for &row in rows {
            let name = &results.names[row];
            if name.contains(['\r', '\n']) {
                writeln!(writer, "{}", name.replace(['\r', '\n'], " "))?;
            } else {
                writeln!(writer, "{name}")?;
            }
        }
        writer.flush()
    };
    write().map_err(unwritten)
}

/// Writes `allowlist.csv` or `blocklist.csv`: `name,score,impressions,spend,reason`. `rows` are row numbers of
/// `results` in list order; `reason` is asked with the row number.
pub fn write_list_csv(
    results: &Results,
    rows: &[usize],
    reason: impl Fn(usize) -> String,
    writer: impl Write + Send,
) -> Result<()> {
    let mut csv = delimited(writer);
    let mut text = NumberText::default();
    let mut write = || {
        csv.write_record(["name", "score", "impressions", "spend", "reason"])?;
        for &row in rows {
            csv.write_field(neutralise(&results.names[row]).as_ref())?;
            let spend = results.spend.as_ref().map(|spend| spend[row]);
            for number in [Some(results.scores[row]), Some(results.impressions[row]), spend] {
                let number = number.filter(|number| number.is_finite());
                csv.write_field(number.map_or("", |number| text.of(number)))?;
            }
            csv.write_field(neutralise(&reason(row)).as_ref())?;
            csv.write_record(None::<&[u8]>)?;
        }
        Ok(csv.flush()?)
    };
    write().map_err(|error| unwritten(io_error(error)))
}
