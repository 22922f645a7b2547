//! What is in an index, and what could not be read.

use std::path::Path;

use anyhow::Result;
use clover_inference::{ClipState, InvertedFile, VideoIndex};

use crate::output::{counted, print_line};

pub(super) fn show(folder: &Path) -> Result<()> {
    let mut index = VideoIndex::open(folder)?;
    index.read_inverted_file()?;
    lines(&index).iter().for_each(|line| print_line(line));
    Ok(())
}

pub(super) fn lines(index: &VideoIndex) -> Vec<String> {
    let settings = index.settings();
    let count = |state| {
        let records = index.library().records();
        records.filter(move |record| record.state == state).count()
    };
    let seconds: f64 = index
        .library()
        .records()
        .filter(|record| record.state == ClipState::Indexed)
        .map(|record| record.seconds)
        // A sum of none would be -0.
        .fold(0.0, |sum, seconds| sum + seconds);
    let [window, stride] =
        [settings.windows.window_ms, settings.windows.stride_ms].map(|ms| ms as f64 / 1000.0);
    let mut lines = vec![
        format!(
            "{}: {} ({seconds:.0} s of video) in {} of {} numbers; {} broken, {} gone",
            index.folder().display(),
            counted(count(ClipState::Indexed), "clip"),
            counted(index.rows(), "row"),
            settings.dim,
            count(ClipState::Broken),
            count(ClipState::Gone)
        ),
        format!(
            "made with {} ({}), windows of {window} s every {stride} s{}",
            settings.bundle.display(),
            &settings
                .bundle_checksum
                .chars()
                .take(12)
                .collect::<String>(),
            if settings.windows.shots {
                ", cut at shots"
            } else {
                ""
            }
        ),
    ];
    lines.extend(index.inverted_file().map(lists_line));
    let sources = settings
        .sources
        .iter()
        .map(|source| format!("source {}", source.path().display()));
    lines.extend(sources);
    for record in index.library().records() {
        if let Some(fault) = record
            .fault
            .as_ref()
            .filter(|_| record.state != ClipState::Gone)
        {
            let what = match record.state {
                ClipState::Broken => "broken",
                _ => "in part",
            };
            // A path may hold anything, a line break too.
            let path = index.path_of(&record.key).display().to_string();
            lines.push(format!("{what}  {}: {fault}", path.escape_debug()));
        }
    }
    lines
}

/// What `clover search --approximate` looks into.
pub(super) fn lists_line(lists: &InvertedFile) -> String {
    let later = match lists.later_rows() {
        0 => String::new(),
        rows => format!("; {rows} rows came later, and every query looks at each"),
    };
    format!(
        "approximate search looks into {} of {} lists, and found {:.1} % of the ten best rows{later}",
        lists.probes(),
        lists.lists(),
        100.0 * lists.recall()
    )
}
