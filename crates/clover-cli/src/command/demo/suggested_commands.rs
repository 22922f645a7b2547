//! Commands to try next: they search, ask and serve what the demonstration made, and work as they are.

use std::path::Path;

use burn::tensor::backend::AutodiffBackend;
use clover_data::dataset::ClipTable;
use clover_trainer::evaluate::{EmbeddedList, Evaluated, Prediction};

use super::clips::DemoClips;
use super::queries::{first_caption, first_sentence};
use super::tasks::CHOICES;
use super::{Demonstration, INDEX, Searcher};

/// Captions that a model without an answer head may choose from.
const SENTENCES: usize = 3;

impl Demonstration {
    pub(super) fn search_commands(&self, query: &str, clip: &str) -> [String; 2] {
        let (program, index) = (program(), self.arguments.out.join(INDEX));
        let [index, query, clip] = [&index.display().to_string(), query, clip].map(quoted);
        [
            format!("{program} search {index} {query}"),
            format!("{program} search {index} --like {clip} --top 3"),
        ]
    }

    /// A question to a model that has no answer head; about own clips, which of some captions fits.
    pub(super) fn ask_by_similarity<B: AutodiffBackend>(
        &self,
        searcher: &Searcher<B>,
        (clips, held_out): (&DemoClips, &ClipTable),
    ) -> Option<String> {
        let (program, bundle) = (program(), quoted(&searcher.bundle.display().to_string()));
        let clip = quoted(&shown_clip((held_out, &searcher.embedded)));
        let ask = format!("{program} ask {bundle} {clip}");
        if clips.rendered().is_some() {
            let question = "'the shape moves to the' --choices left right top bottom";
            return Some(format!("{ask} {question}"));
        }
        let mut choices = Vec::new();
        for &row in &searcher.embedded.clips {
            let choice = quoted(first_sentence(&first_caption(held_out, row)));
            if choices.len() < SENTENCES && !choices.contains(&choice) {
                choices.push(choice);
            }
        }
        let choices = Some(choices).filter(|choices| choices.len() > 1)?.join(" ");
        Some(format!(
            "{ask} 'what is it?' --prompt '{{answer}}' --choices {choices}"
        ))
    }

    /// All own clips made searchable, and the page.
    pub(super) fn serve_commands(&self, bundle: &Path, clips: &DemoClips) -> [String; 2] {
        let (program, out) = (program(), &self.arguments.out);
        let word = |path: &Path| quoted(&path.display().to_string());
        let lists = clips.lists().map(word).join(" ");
        let [bundle, all] = [bundle, &out.join("all")].map(word);
        [
            format!("{program} index {lists} --bundle {bundle} --index {all}"),
            format!("{program} serve --index {all} --open"),
        ]
    }

    /// The first question of a measured list, with its options where it has some.
    pub(super) fn ask(&self, bundle: &Path, found: &Evaluated) -> Option<String> {
        let Some(Prediction::Answered(first)) = found.predictions.first() else {
            return None;
        };
        let clip = found.clips.join(&first.clip);
        let [bundle, clip] = [bundle, &clip].map(|path| quoted(&path.display().to_string()));
        let question = quoted(&first.question);
        let mut command = format!("{} ask {bundle} {clip} {question}", program());
        if found.evaluation.task == CHOICES.name {
            command.push_str(" --choices");
            for option in &first.probabilities {
                command = format!("{command} {}", quoted(&option.name));
            }
        }
        Some(command)
    }
}

/// How this program was called.
fn program() -> String {
    quoted(
        &std::env::args()
            .next()
            .unwrap_or_else(|| "clover".to_owned()),
    )
}

/// The first held-out clip that could be read.
pub(super) fn shown_clip((held_out, embedded): (&ClipTable, &EmbeddedList)) -> String {
    let clip = held_out.file(embedded.clips.first().copied().unwrap_or_default());
    clip.canonicalize().unwrap_or(clip).display().to_string()
}

/// A word of a command line.
fn quoted(word: &str) -> String {
    let plain = |character: char| character.is_alphanumeric() || "/._-:".contains(character);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_a_command_are_quoted_where_a_shell_would_split_them() {
        assert_eq!(quoted("runs/demo-1/index"), "runs/demo-1/index");
        assert_eq!(quoted("it's a $HOME"), "'it'\\''s a $HOME'");
        assert_eq!(quoted(""), "''");
    }
}
