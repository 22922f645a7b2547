//! The thread that has the model.

use std::sync::Arc;

use burn::prelude::*;
use clover_data::catch_panic;
use clover_inference::{Answerer, Embeddings, InferenceError, Searcher};

use crate::queue::{Answered, Question, Queue, Task, Work};

/// Works on what waits until the queue is closed.
pub(crate) fn work<B: Backend>(queue: &Queue, mut searcher: Searcher<B>, answerer: &Answerer<B>) {
    while let Some(work) = queue.take() {
        // What panics costs the answers of its batch: the model itself is never changed.
        let done = catch_panic(|| match work {
            Work::Batch(batch) => answer(batch, &searcher, answerer),
            Work::Index(index) => {
                let rows = index.rows();
                match searcher.replace_index(Arc::clone(&index)) {
                    Ok(()) => tracing::info!(rows, "the index was read again"),
                    Err(error) => tracing::warn!(%error, "the index is left as it was"),
                }
            }
        });
        if done.is_err() {
            tracing::error!("the model panicked; the requests of its batch have no answer");
        }
    }
}

fn answer<B: Backend>(batch: Vec<Task>, searcher: &Searcher<B>, answerer: &Answerer<B>) {
    let (mut queries, mut found) = (Vec::new(), Vec::new());
    let (mut texts, mut embedded) = (Vec::new(), Vec::new());
    let mut questions = Vec::new();
    for task in batch {
        match task {
            Task::Search(query, answer) => {
                queries.push(query);
                found.push(answer);
            }
            Task::Embed(own, answer) => {
                texts.push(own);
                embedded.push(answer);
            }
            Task::Ask(question, answer) => questions.push((question, answer)),
        }
    }
    // Whoever left meanwhile does not hear of it.
    for (answer, result) in found.into_iter().zip(searcher.search_many(&queries)) {
        let _ = answer.send(result);
    }
    let together = searcher.embedder().embed_texts(&texts.concat());
    let mut begin = 0;
    for (answer, texts) in embedded.into_iter().zip(texts) {
        let result = match &together {
            Ok(rows) => Ok(part(rows, begin, texts.len())),
            // Whose text it is.
            Err(_) => searcher.embedder().embed_texts(&texts),
        };
        begin += texts.len();
        let _ = answer.send(result);
    }
    for (question, answer) in questions {
        let _ = answer.send(answer_question(&question, answerer));
    }
}

fn part(rows: &Embeddings, begin: usize, count: usize) -> Embeddings {
    Embeddings {
        values: rows.values[begin * rows.dim..(begin + count) * rows.dim].to_vec(),
        dim: rows.dim,
    }
}

fn answer_question<B: Backend>(
    question: &Question,
    answerer: &Answerer<B>,
) -> Result<Answered, InferenceError> {
    let (clip, text, choices) = (&question.clip, &question.question, &question.choices);
    let answers = answerer.answer(clip, text, choices, question.top)?;
    // Where texts are compared by similarity, nothing is looked at.
    let attention = match question.attention {
        true => answerer.attention(clip, text, choices).ok(),
        false => None,
    };
    Ok(Answered { answers, attention })
}
