//! The bytes of an export, from what was gathered.

use std::io::{self, Write};

use caliber_engine::Code;
use caliber_reports::{
    CampaignReport, ExportedCampaign, ListExport, QualityFacts, ResultsExport, RunFacts, write_lists_csv,
    write_summary_csv,
};
use caliber_store::campaigns::Campaign;
use caliber_store::runs::Run;
use serde_json::{Map, Value, json};

use super::asked::{Asked, ListFormat, ResultsFormat};
use super::material::{Content, Gauge, Material};
use crate::results::{List, ListType, ResultsTable};
use crate::scoring::RunConfig;

type Written = caliber_engine::Result<()>;

impl Material {
    /// Writes it; on a thread that may take its time. Ends early where `gauge` is cancelled or `out` fails.
    pub(crate) fn write(&self, out: impl Write + Send, gauge: &Gauge) -> Written {
        let mut out = Counted { out, gauge };
        match &self.content {
            Content::Results { table, rows, lists } => {
                self.write_results(table, rows, lists.as_ref(), &mut out)?;
            }
            Content::Lists(lists) => self.write_lists(lists, &mut out)?,
            Content::Upload(files) => match files.single() {
                Some(file) => out.write_all(&file.bytes).map_err(unwritten)?,
                None => out.write_all(&files.to_zip()?).map_err(unwritten)?,
            },
            Content::Summary { lists } => {
                write_summary_csv(&self.exported(), &self.summary_with(lists), &mut out)?;
            }
            Content::Data { rows, insights } => {
                let rows = rows.as_ref().map(|(table, rows)| (&**table, rows.as_slice()));
                self.write_data(rows, *insights, &mut out).map_err(unwritten)?;
            }
            Content::Report { table, lists, branding, contents } => {
                let (facts, quality) = self.facts()?;
                let report = self.report(table, lists, &facts, &quality);
                let pdf = caliber_pdf::render(&report, branding, *contents)?;
                out.write_all(&pdf).map_err(unwritten)?;
            }
        }
        out.flush().map_err(unwritten)?;
        gauge.written();
        Ok(())
    }

    fn write_results(
        &self,
        table: &ResultsTable,
        rows: &[usize],
        lists: Option<&[List; 2]>,
        out: &mut Counted<'_, impl Write + Send>,
    ) -> Written {
        let campaign = self.exported();
        let export = ResultsExport { campaign: &campaign, results: table.results(), rows };
        match (&self.asked, lists) {
            (Asked::Results { format: ResultsFormat::Parquet, .. }, _) => export.write_parquet(out),
            (Asked::Results { format: ResultsFormat::Json, .. }, _) => {
                out.gauge.expect(rows.len());
                export.write_json(out)
            }
            (_, Some(lists)) => {
                let (facts, quality) = self.facts()?;
                let scratch = tempfile::tempdir().map_err(unwritten)?;
                export.write_xlsx(&self.report(table, lists, &facts, &quality), scratch.path(), out)
            }
            (_, None) => {
                out.gauge.expect(rows.len());
                export.write_csv(out)
            }
        }
    }

    fn write_lists(&self, lists: &[List], out: &mut Counted<'_, impl Write>) -> Written {
        let campaign = self.exported();
        let exports: Vec<ListExport> = lists
            .iter()
            .map(|list| ListExport {
                campaign: &campaign,
                list_type: match list.list_type {
                    ListType::Whitelist => "whitelist",
                    ListType::Blacklist => "blacklist",
                },
                min_impressions: list.criteria_used.min_impressions.0,
                rows: &list.rows,
            })
            .collect();
        if let (Asked::List { format: ListFormat::Json, .. }, [export], [list]) =
            (&self.asked, exports.as_slice(), lists)
        {
            return export.write_json(&about(list)?, out);
        }
        out.gauge.expect(lists.iter().map(|list| list.rows.len()).sum());
        write_lists_csv(&exports, out)
    }

    /// All that is known of the campaign, row by row where there are rows.
    fn write_data(
        &self,
        rows: Option<(&ResultsTable, &[usize])>,
        insights: bool,
        out: &mut Counted<'_, impl Write>,
    ) -> io::Result<()> {
        out.write_all(b"{\n\"campaign\": ")?;
        serde_json::to_writer(&mut *out, &campaign_document(&self.campaign, &self.run))?;
        out.write_all(b",\n\"campaign_summary\": ")?;
        serde_json::to_writer(&mut *out, &self.summary())?;
        if let Some((table, rows)) = rows {
            out.gauge.expect(rows.len());
            out.write_all(b",\n\"scoring_results\": [")?;
            for (at, &row) in rows.iter().enumerate() {
                out.write_all(if at == 0 { b"\n" } else { b",\n" })?;
                serde_json::to_writer(&mut *out, &table.row_at(row))?;
            }
            out.write_all(b"\n]")?;
        }
        if insights {
            out.write_all(b",\n\"ai_insights\": []")?;
        }
        out.write_all(b",\n\"export_date\": ")?;
        serde_json::to_writer(&mut *out, &self.exported_at)?;
        out.write_all(b"\n}\n")
    }

    /// The campaign as every exported row names it: by what was scored, whatever its settings say by now.
    fn exported(&self) -> ExportedCampaign {
        let RunConfig { platform, goal, channel, .. } = &self.config;
        ExportedCampaign::new(&self.campaign.name, platform, goal.name(), channel.name(), self.exported_at)
    }

    fn summary(&self) -> Map<String, Value> {
        self.run.summary.as_deref().and_then(Value::as_object).cloned().unwrap_or_default()
    }

    /// The summary with what the lists hold by now: names may have been moved by hand since the run.
    fn summary_with(&self, [allow, block]: &[List; 2]) -> Map<String, Value> {
        let mut summary = self.summary();
        if let Some(lists) = summary.get_mut("lists").and_then(Value::as_object_mut) {
            for (name, list) in [("allowlist", allow), ("blocklist", block)] {
                let figures = json!({
                    "count": list.rows.len(),
                    "impressions": list.total_impressions,
                    "spend": list.total_spend,
                    "average_score": list.average_score,
                });
                lists.insert(name.to_owned(), figures);
            }
        }
        summary
    }

    fn facts(&self) -> caliber_engine::Result<(RunFacts, QualityFacts)> {
        let quality = self.run.quality.as_deref().cloned().unwrap_or_else(|| json!({}));
        Ok((RunFacts::of(Value::Object(self.summary()))?, QualityFacts::of(quality)?))
    }

    fn report<'a>(
        &'a self,
        table: &'a ResultsTable,
        [allow, block]: &'a [List; 2],
        run: &'a RunFacts,
        quality: &'a QualityFacts,
    ) -> CampaignReport<'a> {
        CampaignReport {
            name: &self.campaign.name,
            results: table.results(),
            dictionary: table.dictionary(),
            run,
            quality,
            allowlist: &allow.rows,
            blocklist: &block.rows,
            scored_at: self.run.finished_at,
            generated_at: self.exported_at,
        }
    }
}

/// The campaign as its export tells it.
pub(super) fn campaign_document(campaign: &Campaign, run: &Run) -> Value {
    json!({
        "id": campaign.id,
        "name": campaign.name,
        "campaign_type": campaign.campaign_type,
        "goal": campaign.goal.to_string(),
        "channel": campaign.channel.to_string(),
        "ctr_sensitivity": campaign.ctr_sensitivity,
        "analysis_level": campaign.analysis_level.to_string(),
        "status": campaign.status.to_string(),
        "run_id": run.id,
        "campaign_score": run.campaign_score,
        "created_at": campaign.created_at,
        "updated_at": campaign.updated_at,
        "completed_at": campaign.completed_at,
        "scoring_config_snapshot": RunConfig::shown(&run.config),
        "data_quality_report": run.quality,
    })
}

/// What a list says of itself beside its rows.
fn about(list: &List) -> caliber_engine::Result<Map<String, Value>> {
    let mut about = match serde_json::to_value(list) {
        Ok(Value::Object(about)) => about,
        Ok(_) => Map::new(),
        Err(error) => return Err(unwritten(error.into())),
    };
    about.retain(|key, _| !["list_type", "domains", "rows"].contains(&key.as_str()));
    Ok(about)
}

fn unwritten(cause: io::Error) -> caliber_engine::Error {
    caliber_engine::Error::new(Code::Machine, "the export cannot be written").caused_by(cause)
}

/// Counts lines, and fails once the export is cancelled.
struct Counted<'a, W> {
    out: W,
    gauge: &'a Gauge,
}

impl<W: Write> Write for Counted<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.gauge.cancelled().load(std::sync::atomic::Ordering::Relaxed) {
            return Err(io::Error::other("cancelled"));
        }
        let written = self.out.write(bytes)?;
        self.gauge.count(memchr::memchr_iter(b'\n', &bytes[..written]).count());
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
