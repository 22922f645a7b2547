//! A query as a row of unit length: the embeddings of its texts and examples, summed.

use burn::prelude::*;

use super::{SearchQuery, Searcher};
use crate::text_batch::checked_text;
use crate::{Embeddings, InferenceError};

/// How much of what is not wanted is taken off what is.
const NOT_WEIGHT: f32 = 0.5;

impl<B: Backend> Searcher<B> {
    /// Each query as a row of unit length, and whether a text was cut. All texts pass the encoder together.
    pub(super) fn embed(
        &self,
        queries: &[SearchQuery],
    ) -> Vec<Result<(Vec<f32>, bool), InferenceError>> {
        let checked: Vec<Result<(Vec<String>, bool), InferenceError>> =
            queries.iter().map(|query| self.texts_of(query)).collect();
        let texts = checked.iter().flatten().flat_map(|(texts, _)| texts);
        let together = self
            .embedder
            .embed_texts(&texts.cloned().collect::<Vec<_>>());
        let mut next_row = 0;
        let each = queries.iter().zip(checked).map(|(query, checked)| {
            let (texts, cut) = checked?;
            let begin = next_row;
            next_row += texts.len();
            let row = match &together {
                Ok(rows) => self.combine(query, rows, begin),
                // Whose text it is.
                Err(_) => self.combine(query, &self.embedder.embed_texts(&texts)?, 0),
            };
            Ok((row?, cut))
        });
        each.collect()
    }

    /// The texts of a query, those that should not be seen first, and whether one is cut.
    fn texts_of(&self, query: &SearchQuery) -> Result<(Vec<String>, bool), InferenceError> {
        if query.rerank {
            self.reranker.check()?;
        }
        let mut cut = false;
        let mut texts: Vec<String> = query.not.clone();
        texts.extend(query.text.clone());
        for text in &texts {
            checked_text(text, || "the query".to_owned())?;
            cut |= self.embedder.is_cut(text)?;
        }
        if query.text.is_none() && query.like.is_empty() && query.like_embeddings.is_empty() {
            return Err(InferenceError::Option {
                option: "the query",
                reason: "needs a text, or an example to look like".to_owned(),
            });
        }
        let dim = self.index.settings().dim;
        if query.like_embeddings.iter().any(|one| one.len() != dim) {
            return Err(InferenceError::Option {
                option: "the query",
                reason: format!("has an embedding that is not of {dim} numbers"),
            });
        }
        Ok((texts, cut))
    }

    /// A query as a row of unit length. The rows of its texts begin at one of `rows`.
    fn combine(
        &self,
        query: &SearchQuery,
        rows: &Embeddings,
        begin: usize,
    ) -> Result<Vec<f32>, InferenceError> {
        let mut sum = vec![0.0; self.index.settings().dim];
        let texts = query.not.len() + usize::from(query.text.is_some());
        for number in 0..texts {
            let weight = if number < query.not.len() {
                -NOT_WEIGHT
            } else {
                1.0
            };
            add(&mut sum, rows.row(begin + number), weight);
        }
        for (source, span) in &query.like {
            let clip = self.embedder.read(source.clone(), *span)?;
            add(&mut sum, self.embedder.embed_clips(&[&clip]).row(0), 1.0);
        }
        for embedding in &query.like_embeddings {
            add(&mut sum, embedding, 1.0);
        }
        let length = sum.iter().map(|value| value * value).sum::<f32>().sqrt();
        if !length.is_finite() {
            return Err(InferenceError::NotFinite);
        }
        for value in &mut sum {
            *value /= length.max(1e-8);
        }
        Ok(sum)
    }
}

fn add(sum: &mut [f32], row: &[f32], weight: f32) {
    for (sum, value) in sum.iter_mut().zip(row) {
        *sum += weight * value;
    }
}
