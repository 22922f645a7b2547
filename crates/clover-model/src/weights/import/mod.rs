//! Filling the parameters of a model from files, one after another.
//!
//! Names are sorted out first, so that each parameter knows where its values lie; then the module is
//! walked once and each tensor is read, brought to the model's layout and handed over. Nothing is
//! drawn at random for a parameter that a file has, and no more than one tensor is held twice.

mod fill;
mod found;

use std::collections::{HashMap, HashSet};

use burn::module::Module;
use burn::prelude::*;

use super::naming::Meaning;
use super::other_shape::SourceWindow;
use super::source::TensorSource;
use super::{Naming, WeightError, WeightReport};
use crate::tasks::AnswerHead;
use fill::Filler;
use found::Found;

/// How weights are taken over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ImportOptions {
    /// Tables of positions of another shape are brought to the model's, whose windows have these
    /// extents. Without, they are reported as of another shape.
    pub resize_to: Option<[usize; 3]>,
    /// Whether the first convolution is turned from red, green, blue to blue, green, red, or back.
    pub reverse_colours: bool,
    /// How many layers of the fusion encoder, where no file has them, start from the first layers
    /// of the text encoder. Clover: 3.
    pub fusion_layers_from_text: usize,
    /// Whether weights that are infinite or no numbers are refused.
    pub refuse_not_finite: bool,
    /// Whether values are looked through at all, to report such weights.
    pub look_for_not_finite: bool,
}

/// Files to take weights from, and what has become of them.
pub struct Import<'s> {
    options: ImportOptions,
    sources: Vec<(&'s dyn TensorSource, Naming, SourceWindow)>,
    /// Where the values of each parameter lie.
    found: HashMap<String, Found>,
    /// Names and sources that went into a parameter, in this order.
    used: HashSet<(usize, String)>,
    report: WeightReport,
}

impl std::fmt::Debug for Import<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Import")
            .field("options", &self.options)
            .field("found", &self.found.len())
            .finish_non_exhaustive()
    }
}

impl<'s> Import<'s> {
    /// Nothing to take from yet.
    #[must_use]
    pub fn new(options: ImportOptions) -> Self {
        Self {
            options,
            sources: Vec::new(),
            found: HashMap::new(),
            used: HashSet::new(),
            report: WeightReport::default(),
        }
    }

    /// Takes from a file, too. Where two have the same parameter, the first counts.
    pub fn add(&mut self, source: &'s dyn TensorSource, naming: Naming) {
        let index = self.sources.len();
        let mut window = SourceWindow::default();
        let mut substitutes = Vec::new();
        for entry in source.entries() {
            let name = &entry.name;
            if name.ends_with("relative_position_index") && window.tokens.is_none() {
                // Flattened in 2-D Swin of some libraries, so only a square one tells.
                window.tokens = entry
                    .shape
                    .first()
                    .copied()
                    .filter(|_| entry.shape.len() == 2);
            }
            let found = Found::new(index, entry);
            match naming.meaning(name) {
                Meaning::Parameter(path) => {
                    window.flat |= path == PATCH_KERNEL && entry.shape.len() == 4;
                    self.offer(path, found);
                }
                Meaning::Substitute(path) => substitutes.push((path, found)),
                Meaning::NoParameter => self.report.ignored.push(name.clone()),
                Meaning::Unknown => self.report.unused.push(name.clone()),
            }
        }
        for (path, found) in substitutes {
            if self.found.contains_key(&path) {
                self.report.ignored.push(found.name);
            } else {
                self.offer(path, found);
            }
        }
        self.sources.push((source, naming, window));
    }

    fn offer(&mut self, path: String, found: Found) {
        match self.found.entry(path) {
            std::collections::hash_map::Entry::Vacant(place) => {
                place.insert(found);
            }
            std::collections::hash_map::Entry::Occupied(_) => self.report.unused.push(found.name),
        }
    }

    /// Lets parameters that no file has of its own take the values of others.
    fn share(&mut self) {
        // BERT's decoder is tied to its word embeddings, and then often not stored.
        let tied = "mlm_head.decoder.weight";
        if self.found.contains_key("mlm_head.transform.weight")
            && !self.found.contains_key(tied)
            && let Some(word) = self.found.get("text_encoder.embeddings.word.weight")
        {
            let word = word.clone();
            self.found.insert(tied.to_owned(), word);
        }
        let own = "fusion_encoder.layers.";
        if self.found.keys().any(|path| path.starts_with(own)) {
            return;
        }
        let layers = self.options.fusion_layers_from_text;
        let shared: Vec<_> = self
            .found
            .iter()
            .filter_map(|(path, found)| {
                let rest = path.strip_prefix("text_encoder.layers.")?;
                let layer: usize = rest.split_once('.')?.0.parse().ok()?;
                (layer < layers).then(|| (format!("fusion_encoder.layers.{rest}"), found.clone()))
            })
            .collect();
        self.found.extend(shared);
    }

    /// The shape in its file of each parameter that was found, by our paths.
    #[must_use]
    pub fn shapes(&self) -> HashMap<String, Vec<usize>> {
        let shapes = self.found.iter();
        shapes
            .map(|(path, found)| (path.clone(), found.shape.clone()))
            .collect()
    }

    /// What the windows of the first file with any look like.
    pub(super) fn window(&self) -> SourceWindow {
        let windows = self.sources.iter().map(|(.., window)| *window);
        windows
            .into_iter()
            .find(|window| *window != SourceWindow::default())
            .unwrap_or_default()
    }

    /// Tables of positions of another shape are brought to the model's, whose windows have these
    /// extents.
    pub fn resize_to(&mut self, window: [usize; 3]) {
        self.options.resize_to = Some(window);
    }

    /// Fills the head of a fine-tuned model.
    ///
    /// # Errors
    ///
    /// A tensor cannot be read.
    pub fn fill_answers<B: Backend>(
        &mut self,
        head: AnswerHead<B>,
    ) -> Result<AnswerHead<B>, WeightError> {
        Ok(match head {
            AnswerHead::OpenEnded(head) => AnswerHead::OpenEnded(self.fill(head)?),
            AnswerHead::MultipleChoice(head) => AnswerHead::MultipleChoice(self.fill(head)?),
        })
    }

    /// Fills a module. What no file has stays as it is, undrawn if it is not drawn yet.
    ///
    /// # Errors
    ///
    /// A tensor cannot be read.
    pub fn fill<B: Backend, M: Module<B>>(&mut self, module: M) -> Result<M, WeightError> {
        self.share();
        let mut filler = Filler::new(self);
        let module = module.map(&mut filler);
        match filler.failure {
            Some(failure) => Err(failure),
            None => Ok(module),
        }
    }

    /// What has become of everything.
    ///
    /// # Errors
    ///
    /// Weights are not finite, and are to be refused.
    pub fn finish(mut self) -> Result<WeightReport, WeightError> {
        for found in self.found.into_values() {
            let key = (found.source, found.name);
            if self.used.insert(key.clone()) {
                self.report.unused.push(key.1);
            }
        }
        self.report.unused.sort();
        self.report.missing.sort();
        if self.options.refuse_not_finite && !self.report.not_finite.is_empty() {
            return Err(WeightError::NotFinite {
                names: self.report.not_finite,
            });
        }
        Ok(self.report)
    }
}

/// The first convolution of Video Swin.
pub(super) const PATCH_KERNEL: &str = "video_encoder.patch_embedding.projection.weight";

/// The first convolutions: the parameters that see colours.
pub(super) const FIRST_KERNELS: [&str; 2] = [PATCH_KERNEL, "video_encoder.vision.patches.weight"];

#[cfg(test)]
mod shape_tests;
#[cfg(test)]
mod tests;
