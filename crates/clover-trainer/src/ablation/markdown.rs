//! The comparison as a page of Markdown.

use std::fmt::{Result, Write};

use super::summary::{AblationSummary, RowSummary, Spread};

/// The names of the columns.
const RETRIEVAL: &str =
    "| row | R@1 | R@5 | R@10 | median rank | R@1, clip to text | R@5 | R@10 | median rank |";
const OTHERS: &str = "| row | open-ended | multiple choice | positive cosine | gap | seeds |";

impl AblationSummary {
    /// The tables, what they were measured with, and what stands beside them: chance.
    #[must_use]
    pub fn markdown(&self) -> String {
        let mut page = String::new();
        // Writing into a string does not fail.
        let _ = self.write(&mut page);
        page
    }

    fn write(&self, page: &mut String) -> Result {
        writeln!(page, "# Comparison of objectives\n")?;
        writeln!(page, "```sh\n{}\n```\n", self.command)?;
        self.write_settings(page)?;
        writeln!(
            page,
            "Zero-shot retrieval of held-out clips, recall in %:\n"
        )?;
        let retrieval = |row: &RowSummary| {
            let mut cells: Vec<String> =
                row.text_to_video.iter().map(|one| text(*one, 1)).collect();
            cells.push(text(row.text_to_video_median, 1));
            cells.extend(row.video_to_text.iter().map(|one| text(*one, 1)));
            cells.push(text(row.video_to_text_median, 1));
            cells
        };
        self.write_table(page, RETRIEVAL, &retrieval, self.retrieval_by_chance())?;
        writeln!(
            page,
            "\nAccuracy on held-out questions after fine-tuning, in %, and cosines of held-out \
             pairs:\n"
        )?;
        let others = |row: &RowSummary| {
            vec![
                text(row.open_ended, 1),
                text(row.multiple_choice, 1),
                text(row.positive, 3),
                text(row.gap, 3),
                row.seeds.len().to_string(),
            ]
        };
        self.write_table(page, OTHERS, &others, self.answers_by_chance())?;
        if !self.missing.is_empty() {
            writeln!(page, "\nNot done: {}.", self.missing.join(", "))?;
        }
        writeln!(page, "\n![the figures as bars](ablation.svg)")
    }

    fn write_settings(&self, page: &mut String) -> Result {
        let recipe = &self.recipe;
        let pretraining = &recipe.pretraining;
        let clips = recipe
            .benchmark
            .get("clips")
            .and_then(toml::Value::as_integer);
        let steps = self.cells.first().map_or(0, |cell| cell.pretraining_steps);
        writeln!(
            page,
            "Mean and standard deviation over seeds. Preset {}, {} frames of {} px, {steps} \
             pre-training steps of {} pairs, then {} steps of {} open-ended questions or {} of {} \
             questions with options; {} rendered clips; device {}. All settings and every figure are \
             in `ablation.json`.\n",
            pretraining.preset,
            pretraining.frames,
            pretraining.image_size,
            pretraining.batch_size,
            recipe.open_ended.steps,
            recipe.open_ended.batch_size,
            recipe.multiple_choice.steps,
            recipe.multiple_choice.batch_size,
            clips.unwrap_or_default(),
            self.device,
        )
    }

    fn write_table(
        &self,
        page: &mut String,
        header: &str,
        cells: &dyn Fn(&RowSummary) -> Vec<String>,
        without: Vec<(&str, Vec<String>)>,
    ) -> Result {
        let columns = header.matches('|').count() - 1;
        writeln!(page, "{header}\n|---{}", "|---:".repeat(columns - 1) + "|")?;
        for row in &self.rows {
            writeln!(page, "| {} | {} |", row.row, cells(row).join(" | "))?;
        }
        for (name, cells) in without {
            writeln!(page, "| {name} | {} |", cells.join(" | "))?;
        }
        Ok(())
    }

    fn retrieval_by_chance(&self) -> Vec<(&'static str, Vec<String>)> {
        let Some(cell) = self.cells.first() else {
            return Vec::new();
        };
        let cells = [&cell.text_to_video, &cell.video_to_text].map(|metrics| {
            let candidates = metrics.candidates.max(1) as f64;
            let recall = |k: f64| format!("{:.1}", 100.0 * (k / candidates).min(1.0));
            let median = format!("{:.1}", f64::midpoint(candidates, 1.0));
            vec![recall(1.0), recall(5.0), recall(10.0), median]
        });
        vec![("chance", cells.concat())]
    }

    fn answers_by_chance(&self) -> Vec<(&'static str, Vec<String>)> {
        let Some(cell) = self.cells.first() else {
            return Vec::new();
        };
        let both = [&cell.open_ended, &cell.multiple_choice];
        let line = |shares: [f64; 2]| {
            let mut cells: Vec<String> = shares.map(|share| format!("{:.1}", 100.0 * share)).into();
            cells.resize(5, String::new());
            cells
        };
        vec![
            ("chance", line(both.map(|one| one.chance))),
            (
                "best constant answer",
                line(both.map(|one| one.best_constant)),
            ),
        ]
    }
}

fn text(spread: Spread, digits: usize) -> String {
    match spread.deviation {
        Some(deviation) => format!("{:.digits$} ± {deviation:.digits$}", spread.mean),
        None => format!("{:.digits$}", spread.mean),
    }
}
