//! The one queue of inference: many clients, one model.
//!
//! A thread takes what waits in one batch, as soon as it is done with the last one; nothing waits for a batch
//! to fill. What has no place in the queue is refused at once, and what nobody waits for any more is dropped.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use clover_data::video::NormalizedClip;
use clover_inference::{
    AttentionMap, ClipAnswers, Embeddings, InferenceError, SearchQuery, SearchResult, VideoIndex,
};
use tokio::sync::oneshot;

use crate::metrics::Metrics;
use crate::problem::Problem;

/// Requests that wait; more are refused.
pub(crate) const CAPACITY: usize = 256;
/// Requests of a batch.
const BATCH: usize = 64;
/// An answer that is not there by then is not waited for.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

/// Where an answer is waited for.
type Answer<T> = oneshot::Sender<Result<T, InferenceError>>;

/// A question about a clip that was read.
#[derive(Debug)]
pub(crate) struct Question {
    pub(crate) clip: NormalizedClip,
    pub(crate) question: String,
    pub(crate) choices: Vec<String>,
    pub(crate) top: usize,
    /// Whether what the answer looks at is wanted, too.
    pub(crate) attention: bool,
}

/// What is answered.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) answers: ClipAnswers,
    pub(crate) attention: Option<AttentionMap>,
}

/// What the model is asked for.
#[derive(Debug)]
pub(crate) enum Task {
    Search(SearchQuery, Answer<SearchResult>),
    Embed(Vec<String>, Answer<Embeddings>),
    Ask(Box<Question>, Answer<Answered>),
}

impl Task {
    /// Whether nobody waits for it any more.
    fn is_left(&self) -> bool {
        match self {
            Self::Search(_, answer) => answer.is_closed(),
            Self::Embed(_, answer) => answer.is_closed(),
            Self::Ask(_, answer) => answer.is_closed(),
        }
    }
}

/// What the thread does next.
#[derive(Debug)]
pub(crate) enum Work {
    Batch(Vec<Task>),
    /// Search another reading of the index from now on.
    Index(Arc<VideoIndex>),
}

/// The queue.
#[derive(Debug)]
pub(crate) struct Queue {
    waiting: Mutex<Waiting>,
    arrived: Condvar,
    metrics: Metrics,
}

#[derive(Debug, Default)]
struct Waiting {
    tasks: VecDeque<(Instant, Task)>,
    index: Option<Arc<VideoIndex>>,
    closed: bool,
}

impl Queue {
    pub(crate) fn new(metrics: Metrics) -> Self {
        Self {
            waiting: Mutex::default(),
            arrived: Condvar::new(),
            metrics,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // Nothing is left half done where a thread that held it ended.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Requests that wait.
    pub(crate) fn len(&self) -> usize {
        self.lock().tasks.len()
    }

    /// Asks for something and waits for it.
    pub(crate) async fn ask<T>(&self, task: impl FnOnce(Answer<T>) -> Task) -> Result<T, Problem> {
        let (answer, waits) = oneshot::channel();
        self.push(task(answer))?;
        match tokio::time::timeout(DEADLINE, waits).await {
            Ok(Ok(Ok(answer))) => Ok(answer),
            Ok(Ok(Err(error))) => Err(self.problem(&error)),
            // The thread let go of it: it came too late, or the model panicked.
            Ok(Err(_)) if self.lock().closed => Err(Problem::stopping()),
            Ok(Err(_)) | Err(_) => Err(Problem::too_late()),
        }
    }

    fn problem(&self, error: &InferenceError) -> Problem {
        let problem = Problem::of_inference(error);
        if problem.status.is_server_error() {
            tracing::error!(%error, "the model cannot answer");
        }
        problem
    }

    fn push(&self, task: Task) -> Result<(), Problem> {
        let mut waiting = self.lock();
        if waiting.closed {
            return Err(Problem::stopping());
        }
        if waiting.tasks.len() >= CAPACITY {
            // Those who left make place for those who came.
            waiting.tasks.retain(|(_, task)| !task.is_left());
        }
        if waiting.tasks.len() >= CAPACITY {
            return Err(Problem::busy("too many requests wait; ask again soon"));
        }
        waiting.tasks.push_back((Instant::now() + DEADLINE, task));
        self.metrics.waiting(waiting.tasks.len());
        drop(waiting);
        self.arrived.notify_one();
        Ok(())
    }

    /// Has another reading of the index searched from the next batch on.
    pub(crate) fn replace_index(&self, index: Arc<VideoIndex>) {
        self.lock().index = Some(index);
        self.arrived.notify_one();
    }

    /// Takes nothing more; what waits is still done.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.arrived.notify_all();
    }

    /// What waits, in one batch; none once the queue is closed and empty.
    pub(crate) fn take(&self) -> Option<Work> {
        let mut waiting = self.lock();
        loop {
            if let Some(index) = waiting.index.take() {
                return Some(Work::Index(index));
            }
            let batch = batch(&mut waiting.tasks);
            if !batch.is_empty() {
                self.metrics.waiting(waiting.tasks.len());
                self.metrics.batch(batch.len());
                return Some(Work::Batch(batch));
            }
            if waiting.closed {
                return None;
            }
            let woken = self.arrived.wait(waiting);
            waiting = woken.unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// The first of those that wait, and of questions about clips one alone, for it takes as long as many texts.
fn batch(tasks: &mut VecDeque<(Instant, Task)>) -> Vec<Task> {
    let now = Instant::now();
    let (mut batch, mut later) = (Vec::new(), VecDeque::new());
    let mut asks = false;
    while let Some((deadline, task)) = tasks.pop_front() {
        if task.is_left() || deadline < now {
            continue;
        }
        if batch.len() == BATCH || asks && matches!(task, Task::Ask(..)) {
            later.push_back((deadline, task));
            continue;
        }
        asks |= matches!(task, Task::Ask(..));
        batch.push(task);
    }
    *tasks = later;
    batch
}

#[cfg(test)]
mod tests {
    use super::*;

    fn embed(text: &str) -> (Task, oneshot::Receiver<Result<Embeddings, InferenceError>>) {
        let (answer, waits) = oneshot::channel();
        (Task::Embed(vec![text.to_owned()], answer), waits)
    }

    #[test]
    fn what_waits_is_one_batch_without_those_who_left() {
        let queue = Queue::new(Metrics::new());
        let (first, _waits) = embed("a");
        let (left, waits) = embed("b");
        let (last, _waits_too) = embed("c");
        for task in [first, left, last] {
            queue.push(task).unwrap();
        }
        drop(waits);

        let Some(Work::Batch(batch)) = queue.take() else {
            panic!("no batch");
        };

        assert_eq!((batch.len(), queue.len()), (2, 0));
    }

    #[test]
    fn a_full_queue_refuses_and_those_who_left_make_place() {
        let queue = Queue::new(Metrics::new());
        let mut waits: Vec<_> = (0..CAPACITY)
            .map(|_| {
                let (task, waits) = embed("a");
                queue.push(task).unwrap();
                waits
            })
            .collect();

        let refused = queue.push(embed("b").0).unwrap_err();
        waits.truncate(CAPACITY / 2);
        let (task, _waits) = embed("c");
        queue.push(task).unwrap();

        assert_eq!(refused.status.as_u16(), 429);
        assert_eq!(queue.len(), CAPACITY / 2 + 1);
    }

    #[test]
    fn a_closed_queue_is_worked_off_and_takes_nothing_more() {
        let queue = Queue::new(Metrics::new());
        let (task, _waits) = embed("a");
        queue.push(task).unwrap();

        queue.close();

        assert_eq!(queue.push(embed("b").0).unwrap_err().status.as_u16(), 503);
        assert!(matches!(queue.take(), Some(Work::Batch(_))));
        assert!(queue.take().is_none());
    }
}
