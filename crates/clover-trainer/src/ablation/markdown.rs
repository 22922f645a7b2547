//! The comparison as a page of Markdown.

use std::fmt::{Result, Write};

use super::cell::COMPANIONS;
use super::differences::{Difference, Verdict};
use super::summary::{AblationSummary, RowSummary, Spread};

/// The names of the columns, behind that of the row.
const RETRIEVAL: [&str; 8] = [
    "R@1",
    "R@5",
    "R@10",
    "median rank",
    "clip to text: R@1",
    "R@5",
    "R@10",
    "median rank",
];
const OTHERS: [&str; 6] = [
    "among companions",
    "open-ended",
    "multiple choice",
    "cosine",
    "gap",
    "seeds",
];

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
            "Zero-shot retrieval of held-out clips by their texts, and the other way, recall in %:\n"
        )?;
        let retrieval = |row: &RowSummary| {
            let mut cells: Vec<String> =
                row.text_to_video.iter().map(|one| text(*one, 1)).collect();
            cells.push(text(row.text_to_video_median, 1));
            cells.extend(row.video_to_text.iter().map(|one| text(*one, 1)));
            cells.push(text(row.video_to_text_median, 1));
            cells
        };
        self.write_table(page, &RETRIEVAL, &retrieval, self.retrieval_by_chance())?;
        let companions = self.rows.iter().any(|row| row.hard_negatives.is_some());
        let companions = match companions {
            true => "Sentences that find their clip among four that differ in one respect, in %. ",
            false => "",
        };
        writeln!(
            page,
            "\n{companions}Right answers to questions about held-out clips after fine-tuning, in %. The mean cosine of a \
             held-out clip and its text, zero-shot, and its gap to that of clips and texts that do not belong together:\n"
        )?;
        let others = |row: &RowSummary| {
            vec![
                percent(row.hard_negatives),
                percent(row.open_ended),
                percent(row.multiple_choice),
                text(row.positive, 3),
                text(row.gap, 3),
                row.seeds.len().to_string(),
            ]
        };
        self.write_table(page, &OTHERS, &others, self.answers_by_chance())?;
        self.write_skills(page)?;
        self.write_differences(page)?;
        if !self.missing.is_empty() {
            writeln!(page, "\nNot done: {}.", self.missing.join(", "))?;
        }
        writeln!(page, "\n![the metrics as bars](ablation.svg)")
    }

    fn write_settings(&self, page: &mut String) -> Result {
        let recipe = &self.recipe;
        let pretraining = &recipe.pretraining;
        let clips = recipe
            .benchmark
            .get("clips")
            .and_then(toml::Value::as_integer);
        // The first row of a comparison that goes on from a model is that model.
        let steps = self.cells.last().map_or(0, |cell| cell.pretraining_steps);
        let (open, choice) = (&recipe.open_ended, &recipe.multiple_choice);
        let mut questions = match &recipe.start {
            Some(start) => format!(
                ", going on from one model a seed that learned with InfoNCE alone for {} epochs of \
                 the same pairs",
                start.epochs
            ),
            None => String::new(),
        };
        if open.steps > 0 || choice.steps > 0 {
            questions += &format!(
                ", then {} steps of {} open-ended questions or {} of {} questions with options",
                open.steps, open.batch_size, choice.steps, choice.batch_size
            );
        }
        writeln!(
            page,
            "Mean and standard deviation over seeds. Preset {}, {} frames of {} px, {steps} \
             pre-training steps of {} pairs{questions}; {} rendered clips; device {}. All settings and \
             every metric are in `ablation.json`.\n",
            pretraining.preset,
            pretraining.frames,
            pretraining.image_size,
            pretraining.batch_size,
            clips.unwrap_or_default(),
            self.device,
        )
    }

    /// A column that is empty throughout is left out.
    fn write_table(
        &self,
        page: &mut String,
        names: &[&str],
        cells: &dyn Fn(&RowSummary) -> Vec<String>,
        without: Vec<(&str, Vec<String>)>,
    ) -> Result {
        let rows = self.rows.iter();
        let rows = rows.map(|row| (row.row.to_string(), cells(row)));
        let without = without.into_iter();
        let without = without.map(|(name, cells)| (name.to_owned(), cells));
        let lines: Vec<(String, Vec<String>)> = rows.chain(without).collect();
        let is_shown = |&(column, _): &(usize, &str)| {
            let mut cells = lines.iter().filter_map(|(_, cells)| cells.get(column));
            cells.any(|cell| !cell.is_empty())
        };
        let (shown, names): (Vec<usize>, Vec<&str>) =
            names.iter().copied().enumerate().filter(is_shown).unzip();
        let columns = "|---:".repeat(shown.len());
        writeln!(page, "| row | {} |\n|---{columns}|", names.join(" | "))?;
        for (name, cells) in &lines {
            let cells = shown.iter().filter_map(|&column| cells.get(column));
            let cells: Vec<&str> = cells.map(String::as_str).collect();
            writeln!(page, "| {name} | {} |", cells.join(" | "))?;
        }
        Ok(())
    }

    /// What rows add to others: what the comparison supports, and what it does not.
    fn write_differences(&self, page: &mut String) -> Result {
        if self.differences.is_empty() {
            return Ok(());
        }
        writeln!(
            page,
            "\nWhat rows add to others, in percentage points (cosines times 100): the mean of what each seed gave, and its 95 % \
             interval. A difference is supported where the interval lies above 0, contradicted where it lies \
             below, and undecided otherwise: then all that is known is that it lies, at 95 %, inside the interval. \
             Where each seed gave the same there is no interval, and it is undecided, too. {} are listed; of rows \
             that do not differ at all, one difference in twenty would seem decided. This is a comparison of small models on rendered \
             clips; it says nothing of large models or real videos.\n",
            self.differences.len()
        )?;
        let same_rows =
            |one: &Difference, other: &Difference| (one.row, one.than) == (other.row, other.than);
        for claim in self.differences.chunk_by(same_rows) {
            let Some(Difference { row, than, .. }) = claim.first() else {
                continue;
            };
            let verdicts = [
                ("supported", Verdict::Supported),
                ("contradicted", Verdict::Contradicted),
                ("undecided", Verdict::Undecided),
            ];
            let parts = verdicts.map(|(name, verdict)| {
                let own = claim.iter().filter(|one| one.verdict == verdict);
                let own: Vec<String> = own.map(ToString::to_string).collect();
                let own = if own.is_empty() {
                    vec!["nothing".to_owned()]
                } else {
                    own
                };
                format!("{name}: {}", own.join(", "))
            });
            writeln!(page, "- **{row}** against {than}: {}.", parts.join("; "))?;
        }
        Ok(())
    }

    /// What rows tell apart, where there are pair tests.
    fn write_skills(&self, page: &mut String) -> Result {
        let Some(first) = self.rows.first().filter(|row| !row.skills.is_empty()) else {
            return Ok(());
        };
        let counts = first.skills.iter();
        let counts = counts.map(|one| format!("{} of {}", one.pairs, one.skill));
        writeln!(
            page,
            "\nSentences told apart from others with one word changed, zero-shot on held-out clips, in %: the \
             mean over seeds and its 95 % interval, cut at 0 and 100. Pairs: {}.\n",
            counts.collect::<Vec<_>>().join(", ")
        )?;
        let names: Vec<&str> = first.skills.iter().map(|one| one.skill.as_str()).collect();
        let cells = |row: &RowSummary| {
            let cells = names.iter().map(|name| {
                let found = row.skills.iter().find(|one| one.skill == **name);
                found.map_or_else(String::new, |one| match one.interval {
                    Some([low, high]) => {
                        format!("{:.1} ({low:.1} to {high:.1})", one.accuracy.mean)
                    }
                    None => text(one.accuracy, 1),
                })
            });
            cells.collect()
        };
        let chance = vec![("chance", vec!["50.0".to_owned(); names.len()])];
        self.write_table(page, &names, &cells, chance)
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
        let both = [&cell.open_ended, &cell.multiple_choice].map(Option::as_ref);
        let line = |shares: [Option<f64>; 3]| {
            let share = |share: Option<f64>| {
                share.map_or(String::new(), |share| format!("{:.1}", 100.0 * share))
            };
            let mut cells: Vec<String> = shares.map(share).into();
            cells.resize(6, String::new());
            cells
        };
        let companions = cell.hard_negatives.map(|_| 1.0 / COMPANIONS as f64);
        let [open, choice] = both.map(|one| one.map(|one| one.chance));
        let mut lines = vec![("chance", line([companions, open, choice]))];
        let [open, choice] = both.map(|one| one.map(|one| one.best_constant));
        if open.is_some() || choice.is_some() {
            lines.push(("best constant answer", line([None, open, choice])));
        }
        lines
    }
}

fn percent(spread: Option<Spread>) -> String {
    spread.map_or(String::new(), |spread| text(spread, 1))
}

fn text(spread: Spread, digits: usize) -> String {
    match spread.deviation {
        Some(deviation) => format!("{:.digits$} ± {deviation:.digits$}", spread.mean),
        None => format!("{:.digits$}", spread.mean),
    }
}
