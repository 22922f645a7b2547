//! Reports: every metric of a run as JSON, and a page to look at.
//!
//! The page is one file: curves are inline SVG, frames inline JPEG; it loads nothing and runs nothing.
//! [`EventFile`] tells the same metrics to TensorBoard as they come.

mod chart;
mod clip_image;
mod evaluation_page;
mod event_file;
mod page;
mod rate_curve;
mod run_page;
mod runs;
mod scores;

pub(crate) use chart::{Bar, BarPanel, bars_file};
pub use chart::{Chart, Curve};
pub use clip_image::clip_image;
pub use evaluation_page::EvaluationPage;
pub use event_file::EventFile;
pub use page::{Escaped, Page};
pub use runs::pretraining_charts;
pub use scores::{RetrievalScores, SkillScores};

pub use crate::whole_file::write_whole;

use std::path::Path;

use serde::Serialize;

use crate::TrainerError;
use crate::evaluate::QuestionAccuracy;

/// What is known about a run when it is over.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// The heading of the page.
    pub title: String,
    /// What came of it, in a line.
    pub summary: String,
    /// What the run can be repeated from: names and values.
    pub settings: Vec<(String, String)>,
    /// Wall seconds by phase.
    pub seconds: Vec<(String, f64)>,
    /// Retrieval metrics beside those of chance.
    pub retrieval: Vec<RetrievalScores>,
    /// What is told apart, by model.
    pub skills: Vec<SkillScores>,
    /// Accuracy in question answering, beside what needs no model.
    pub answers: Vec<(String, QuestionAccuracy)>,
    /// Sentences, and the clips they found.
    pub queries: Vec<Query>,
    /// What was measured along the way.
    pub charts: Vec<Chart>,
    /// Items left out: name and reason.
    pub skipped: Vec<(String, String)>,
}

/// A sentence that looked for clips.
#[derive(Clone, Debug, Serialize)]
pub struct Query {
    /// The sentence.
    pub text: String,
    /// Whether someone typed it, rather than its being the caption of a clip.
    pub typed: bool,
    /// The clips found, best first.
    pub results: Vec<Retrieved>,
}

/// A clip that was found.
#[derive(Clone, Debug, Serialize)]
pub struct Retrieved {
    /// From one.
    pub rank: usize,
    /// The file.
    pub name: String,
    /// What the file's own caption says.
    pub caption: String,
    /// Cosine of the two embeddings.
    pub similarity: f32,
    /// Whether the sentence is this clip's own caption.
    pub correct: bool,
    /// Some frames as a data URI, from [`clip_image`]; not part of the JSON.
    #[serde(skip)]
    pub image: Option<String>,
}

impl Report {
    /// Writes every metric as JSON; one that is not finite becomes `null`.
    ///
    /// # Errors
    ///
    /// The file cannot be written; one that was there before is then still whole.
    pub fn write_json(&self, path: &Path) -> Result<(), TrainerError> {
        let json = serde_json::to_vec_pretty(self).map_err(|source| TrainerError::Json {
            path: path.to_owned(),
            source,
        })?;
        write_whole(path, &json)
    }

    /// Writes the page.
    ///
    /// # Errors
    ///
    /// A chart cannot be drawn, or the file cannot be written; one that was there before is then
    /// still whole.
    pub fn write_html(&self, path: &Path) -> Result<(), TrainerError> {
        write_whole(path, run_page::run_page(self)?.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;
    use std::fs;

    fn report() -> Report {
        Report {
            title: "Shapes & sizes".to_owned(),
            settings: vec![("epochs".to_owned(), "3".to_owned())],
            charts: vec![Chart {
                title: "Losses".to_owned(),
                curves: vec![Curve {
                    name: "total".to_owned(),
                    points: vec![(1, 2.5), (2, f64::NAN), (3, 1.5)],
                }],
            }],
            queries: vec![Query {
                text: "a <script>alert(\"red\")</script> circle".to_owned(),
                typed: true,
                results: vec![Retrieved {
                    rank: 1,
                    name: "clips/1.gif".to_owned(),
                    caption: "it's \"red\" & <b>big</b>".to_owned(),
                    similarity: 0.75,
                    correct: false,
                    image: Some("data:image/png;base64,AAAA".to_owned()),
                }],
            }],
            skipped: vec![("broken.mp4".to_owned(), "no moov".to_owned())],
            ..Report::default()
        }
    }

    #[test]
    fn json_has_every_metric_and_no_image() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.json");

        report().write_json(&path).unwrap();

        let json: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        assert_eq!(json["charts"][0]["curves"][0]["points"][2][1], 1.5);
        assert!(json["charts"][0]["curves"][0]["points"][1][1].is_null());
        assert_eq!(json["queries"][0]["results"][0]["similarity"], 0.75);
        assert!(json["queries"][0]["results"][0].get("image").is_none());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn the_page_shows_what_users_wrote_as_text() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.html");

        report().write_html(&path).unwrap();

        let page = fs::read_to_string(&path).unwrap();
        assert!(!page.contains("<script") && !page.contains("<b>big"));
        assert!(page.contains("a &lt;script&gt;alert(&quot;red&quot;)&lt;/script&gt; circle"));
        assert!(page.contains("it&#39;s &quot;red&quot; &amp; &lt;b&gt;big"));
        assert!(page.contains("data:image/png;base64,AAAA"));
        assert!(page.contains("broken.mp4") && page.contains("<polyline"));
    }

    #[test]
    fn the_page_loads_nothing_and_runs_nothing() {
        let page = run_page::run_page(&report()).unwrap();

        assert!(page.contains("<svg") && page.contains("<img"));
        for outside in ["http", "url(", "<link", "<script", "@import"] {
            assert!(!page.contains(outside), "{outside}");
        }
    }

    #[test]
    fn a_write_that_fails_leaves_everything_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        // A file cannot be renamed over a folder.
        let taken = folder.path().join("report.html");
        fs::create_dir(&taken).unwrap();

        let error = report().write_html(&taken).unwrap_err();

        assert!(matches!(error, TrainerError::Write { path, .. } if path == taken));
        assert!(taken.is_dir());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_report_replaces_the_one_before() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.json");
        fs::write(&path, "an older and, as it happens, much longer text").unwrap();

        Report::default().write_json(&path).unwrap();

        let json: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        assert_eq!(json["title"], "");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn an_empty_report_is_a_page_too() {
        let page = run_page::run_page(&Report::default()).unwrap();

        assert!(page.starts_with("<!DOCTYPE html>") && page.trim_end().ends_with("</html>"));
    }
}
