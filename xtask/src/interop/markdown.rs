//! The table of `docs/interop.md`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use super::cell::{Role, Transport};
use super::ours::Ours;
use super::peers;
use super::report::{Figures, Row, Verdict, one_line};
use super::scenario;

/// The whole page.
pub(crate) fn page(rows: &[Row], ours: &Ours) -> String {
    let mut page = String::from(HEAD);
    let figures = Figures::of(rows);
    // Writing into a string cannot fail.
    let _ = writeln!(
        page,
        "{} cells: {} passed, {} failed, {} skipped. In {} of them at least one end is a peer that \
         we did not write; {} of those passed.\n",
        rows.len(),
        figures.passed,
        figures.failed,
        figures.skipped,
        figures.foreign,
        figures.foreign_passed
    );
    let _ = writeln!(
        page,
        "Drafts of this build: {}.\n",
        ours.versions.join(", ")
    );
    page.push_str(&packages(rows));
    page.push_str(&table(rows));
    page.push_str(&scenarios());
    page.push_str(&exceptions(rows));
    page.push_str(&defects());
    page
}

/// What was found in peers.
fn defects() -> String {
    let mut text = String::from("## Defects found in peers\n\n");
    for defect in peers::DEFECTS {
        let _ = writeln!(
            text,
            "- {}: {}. To see it: {}.",
            defect.package, defect.what, defect.reproduction
        );
    }
    text
}

fn packages(rows: &[Row]) -> String {
    let mut text = String::from("| peer | package | cells | passed |\n|---|---|---|---|\n");
    for peer in peers::ALL {
        let cells: Vec<&Row> = rows
            .iter()
            .filter(|row| row.cell.peer_name() == peer.name)
            .collect();
        let passed = cells.iter().filter(|row| is_passed(row)).count();
        let _ = writeln!(
            text,
            "| {} | {} | {} | {passed} |",
            peer.name,
            peer.package,
            cells.len()
        );
    }
    text.push('\n');
    text
}

/// A line per peer, role and transport, a column per draft.
fn table(rows: &[Row]) -> String {
    let mut versions: Vec<&str> = rows.iter().map(|row| row.cell.version.as_str()).collect();
    versions.sort_unstable();
    versions.dedup();
    versions.reverse();
    let mut lines: BTreeMap<(usize, Role, Transport), Vec<&Row>> = BTreeMap::new();
    for row in rows {
        let order = peers::ALL
            .iter()
            .position(|peer| peer.name == row.cell.peer_name());
        let key = (
            order.map_or(0, |order| order + 1),
            row.cell.role,
            row.cell.transport,
        );
        lines.entry(key).or_default().push(row);
    }
    let mut text = String::from(
        "Passed of all cells, and the time from writing a frame to its arrival in `one-frame`.\n\n",
    );
    let _ = writeln!(
        text,
        "| peer | role | transport | {} |",
        versions.join(" | ")
    );
    let _ = writeln!(text, "|---|---|---|{}", "---|".repeat(versions.len()));
    for ((_, role, transport), rows) in lines {
        let name = rows.first().map_or("", |row| row.cell.peer_name());
        let _ = write!(text, "| {name} | {role} | {transport} |");
        for version in &versions {
            let of = rows.iter().filter(|row| row.cell.version == *version);
            let _ = write!(text, " {} |", square(&of.copied().collect::<Vec<_>>()));
        }
        text.push('\n');
    }
    text.push('\n');
    text
}

fn square(rows: &[&Row]) -> String {
    if rows.is_empty() {
        return "–".into();
    }
    let passed = rows.iter().filter(|row| is_passed(row)).count();
    let mut text = format!("{passed}/{}", rows.len());
    let one_frame = rows
        .iter()
        .find(|row| row.cell.scenario.name == "one-frame");
    if let Some(latency) = one_frame.and_then(|row| latency(row)) {
        let _ = write!(text, ", {:.0} ms", latency.as_secs_f64() * 1e3);
    }
    text
}

fn scenarios() -> String {
    let mut text = String::from("## Scenarios\n\n| scenario | shows |\n|---|---|\n");
    for scenario in scenario::ALL {
        let _ = writeln!(text, "| {} | {} |", scenario.name, scenario.what);
    }
    text.push('\n');
    text
}

/// What failed or was skipped, cell by cell where it failed, reason by reason where it was skipped.
fn exceptions(rows: &[Row]) -> String {
    let mut skipped: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let mut failed = String::new();
    for row in rows {
        match &row.verdict {
            Verdict::Skipped(why) => skipped.entry(why).or_default().push(row.cell.to_string()),
            Verdict::Failed(failure) => {
                let received = one_line(&failure.received);
                let _ = writeln!(
                    failed,
                    "- `{}`: expected {}; received {received}",
                    row.cell,
                    one_line(&failure.expected)
                );
            }
            Verdict::Passed { .. } => {}
        }
    }
    let mut text = String::new();
    if !failed.is_empty() {
        let _ = writeln!(text, "## Failed\n\n{failed}");
    }
    if !skipped.is_empty() {
        text.push_str("## Skipped\n\n");
        for (why, cells) in skipped {
            let first = cells.first().map_or("", String::as_str);
            let _ = writeln!(
                text,
                "- {} cells, such as `{first}`: {}",
                cells.len(),
                one_line(why)
            );
        }
        text.push('\n');
    }
    text
}

fn is_passed(row: &Row) -> bool {
    matches!(row.verdict, Verdict::Passed { .. })
}

fn latency(row: &Row) -> Option<Duration> {
    match row.verdict {
        Verdict::Passed { latency } => latency,
        _ => None,
    }
}

const HEAD: &str = "\
<!-- Written by `cargo xtask interop --markdown docs/interop.md`; do not edit. -->

# Interoperability

Every cell starts the programs anew on loopback, moves real data where its scenario does, and checks
it by SHA-256 and sequence. `they-publish` and `they-subscribe` go through our relay, `we-relay` has
them at both ends of it; `they-relay` has us at both ends of theirs; in `chain-down` and `chain-up`
their relay is linked to ours; the `dial` roles have no relay; `read-by-` has a second peer read from
the first one over our relay.

";
