//! What a workbook says of itself: its sheets, where they lie, how it counts days.

use std::collections::HashMap;

use quick_xml::events::Event;

use super::package::{Package, malformed};
use super::text::attribute;
use crate::Result;

/// Unpacked bytes of a part that only describes: a thousand sheets and their links stay far below.
pub(super) const DESCRIPTION_BYTES_MAX: u64 = 64 << 20;

/// A sheet and the part that holds it.
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) hidden: bool,
    pub(super) part: String,
}

/// The table of contents of a workbook.
#[derive(Default)]
pub(super) struct Catalog {
    pub(super) sheets: Vec<Entry>,
    pub(super) from_1904: bool,
    pub(super) strings_part: Option<String>,
    pub(super) styles_part: Option<String>,
}

/// A relationship: its kind (the last word of its type) and the part it points at.
struct Link {
    kind: String,
    part: String,
}

impl Catalog {
    /// Follows the package's links to the workbook part and from there to the sheets.
    pub(super) fn read(package: &mut Package) -> Result<Self> {
        let workbook = links(package, "_rels/.rels", "")?
            .into_values()
            .find(|link| link.kind == "officeDocument")
            .map_or_else(|| "xl/workbook.xml".to_owned(), |link| link.part);
        let (folder, file) = workbook.rsplit_once('/').unwrap_or(("", &workbook));
        let links = links(package, &join(folder, &format!("_rels/{file}.rels")), folder)?;
        let part_of =
            |kind: &str| links.values().find(|link| link.kind == kind).map(|link| link.part.clone());
        let mut catalog = Self {
            strings_part: part_of("sharedStrings"),
            styles_part: part_of("styles"),
            ..Self::default()
        };
        let Some(mut xml) = package.xml(&workbook, DESCRIPTION_BYTES_MAX)? else {
            return Err(malformed(format!("the workbook lacks its part {workbook}")));
        };
        loop {
            match xml.next()? {
                Event::Start(tag) | Event::Empty(tag) => match tag.local_name().as_ref() {
                    "workbookPr" => {
                        // An extension of the same name never has the attribute.
                        if let Some(value) = attribute(&tag, "date1904") {
                            catalog.from_1904 = matches!(value.as_ref(), "1" | "true" | "on");
                        }
                    }
                    "sheet" => {
                        let link = attribute(&tag, "id").and_then(|id| links.get(id.as_ref()));
                        // Charts, dialogs and macros have a tab as well, and no rows.
                        if let (Some(name), Some(link)) = (attribute(&tag, "name"), link)
                            && link.kind == "worksheet"
                        {
                            let hidden = attribute(&tag, "state").is_some_and(|state| state != "visible");
                            let part = link.part.clone();
                            catalog.sheets.push(Entry { name: name.into_owned(), hidden, part });
                        }
                    }
                    _ => {}
                },
                Event::Eof => break,
                _ => {}
            }
        }
        drop(xml);
        catalog.sheets.retain(|sheet| package.has(&sheet.part));
        if catalog.sheets.is_empty() {
            return Err(malformed("the workbook has no sheet of cells"));
        }
        Ok(catalog)
    }
}

/// The links of a part by id; none where it has no list of them.
fn links(package: &mut Package, part: &str, folder: &str) -> Result<HashMap<String, Link>> {
    let mut links = HashMap::new();
    let Some(mut xml) = package.xml(part, DESCRIPTION_BYTES_MAX)? else { return Ok(links) };
    loop {
        match xml.next()? {
            Event::Start(tag) | Event::Empty(tag) if tag.local_name().as_ref() == "Relationship" => {
                if let (Some(id), Some(kind), Some(target)) =
                    (attribute(&tag, "Id"), attribute(&tag, "Type"), attribute(&tag, "Target"))
                {
                    let kind = kind.rsplit('/').next().unwrap_or_default().to_owned();
                    links.insert(id.into_owned(), Link { kind, part: join(folder, &target) });
                }
            }
            Event::Eof => return Ok(links),
            _ => {}
        }
    }
}

/// A target as seen from a folder: absolute, or relative with `..`.
fn join(folder: &str, target: &str) -> String {
    let target = target.replace('\\', "/");
    let mut steps: Vec<&str> = if target.starts_with('/') { Vec::new() } else { folder.split('/').collect() };
    for step in target.split('/') {
        match step {
            "" | "." => {}
            ".." => {
                steps.pop();
            }
            step => steps.push(step),
        }
    }
    steps.retain(|step| !step.is_empty());
    steps.join("/")
}
