//! From the scores of rows to the best moment of each video.

use std::cmp::Ordering;
use std::ops::Range;

use crate::index::RowKey;

/// A window, and how well it fits a query.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Window {
    start_ms: u32,
    end_ms: u32,
    score: f32,
}

/// What was found of one content.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Moment {
    pub(crate) content: u32,
    /// The best row's.
    pub(crate) score: f32,
    /// The row it comes from.
    pub(crate) key: RowKey,
    /// From where to where; none for a clip with one row.
    pub(crate) span_ms: Option<(u32, u32)>,
}

/// The rows of one content, which lie together: the part of the index and the rows in it.
struct Run {
    score: f32,
    key: RowKey,
    part: usize,
    rows: Range<usize>,
}

/// The `top` best contents, each with its best moment. Each part is keys and their scores; `wanted` tells
/// which contents count, and is asked of no more than it takes.
pub(crate) fn best_moments(
    parts: &[(&[RowKey], &[f32])],
    top: usize,
    wanted: impl Fn(u32) -> bool,
) -> Vec<Moment> {
    let mut runs: Vec<Run> = Vec::new();
    for (part, (keys, scores)) in parts.iter().enumerate() {
        for (row, (&key, &score)) in keys.iter().zip(*scores).enumerate() {
            match runs.last_mut() {
                Some(run) if run.part == part && run.key.content == key.content => {
                    run.rows.end = row + 1;
                    if score > run.score {
                        (run.score, run.key) = (score, key);
                    }
                }
                _ => runs.push(Run {
                    score,
                    key,
                    part,
                    rows: row..row + 1,
                }),
            }
        }
    }
    let order = |a: &Run, b: &Run| b.score.total_cmp(&a.score).then_with(|| a.key.cmp(&b.key));
    let mut found = Vec::new();
    let (mut rest, mut size) = (runs.as_mut_slice(), 4 * top + 64);
    // The best are put in order; the others only where most of these are not wanted.
    while found.len() < top && !rest.is_empty() {
        let some = size.min(rest.len());
        if some < rest.len() {
            rest.select_nth_unstable_by(some, order);
        }
        let (best, others) = rest.split_at_mut(some);
        best.sort_unstable_by(order);
        let best = best.iter().filter(|run| wanted(run.key.content));
        found.extend(best.take(top - found.len()).map(|run| {
            let (keys, scores) = parts[run.part];
            let windows = keys[run.rows.clone()].iter().zip(&scores[run.rows.clone()]);
            let windows = windows.filter(|(key, _)| !key.is_whole());
            let mut windows: Vec<Window> = windows
                .map(|(key, &score)| Window {
                    start_ms: key.start_ms,
                    end_ms: key.end_ms,
                    score,
                })
                .collect();
            Moment {
                content: run.key.content,
                score: run.score,
                key: run.key,
                span_ms: merged(&mut windows),
            }
        }));
        (rest, size) = (others, 4 * size);
    }
    found
}

/// The best window with those neighbours that fit at least half as well, between the mean of all windows
/// and the best.
fn merged(windows: &mut [Window]) -> Option<(u32, u32)> {
    windows.sort_by_key(|window| (window.start_ms, window.end_ms));
    let mean = windows.iter().map(|window| window.score).sum::<f32>() / windows.len().max(1) as f32;
    let best = (0..windows.len()).max_by(|&a, &b| {
        let order = windows[a].score.total_cmp(&windows[b].score);
        // The earlier of two alike.
        order.then(match a < b {
            true => Ordering::Greater,
            false => Ordering::Less,
        })
    })?;
    let enough = (mean + windows[best].score) / 2.0;
    let (mut start, mut end) = (windows[best].start_ms, windows[best].end_ms);
    for window in windows[..best].iter().rev() {
        if window.score < enough || window.end_ms < start {
            break;
        }
        start = window.start_ms;
    }
    for window in &windows[best + 1..] {
        if window.score < enough || window.start_ms > end {
            break;
        }
        end = end.max(window.end_ms);
    }
    Some((start, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(content: u32, start: u32, end: u32) -> RowKey {
        RowKey {
            content,
            start_ms: 1_000 * start,
            end_ms: 1_000 * end,
        }
    }

    fn best(rows: &[(RowKey, f32)], top: usize, wanted: impl Fn(u32) -> bool) -> Vec<Moment> {
        let (keys, scores): (Vec<_>, Vec<_>) = rows.iter().copied().unzip();
        // In two parts, as two segments are.
        let half = keys.len() / 2;
        let half =
            (half..keys.len()).find(|&at| at == 0 || keys[at].content != keys[at - 1].content);
        let half = half.unwrap_or(keys.len());
        let (keys, scores) = (keys.split_at(half), scores.split_at(half));
        best_moments(&[(keys.0, scores.0), (keys.1, scores.1)], top, wanted)
    }

    #[test]
    fn the_best_row_of_a_video_counts_and_videos_come_best_first() {
        let rows = [
            (key(0, 0, 0), 0.1),
            (key(1, 0, 0), 0.5),
            (key(2, 0, 0), 0.2),
            (key(2, 0, 8), 0.9),
            (key(2, 4, 12), 0.1),
        ];

        let found = best(&rows, 2, |_| true);

        let contents: Vec<_> = found
            .iter()
            .map(|moment| (moment.content, moment.score))
            .collect();
        assert_eq!(contents, [(2, 0.9), (1, 0.5)]);
        assert_eq!(
            (found[0].span_ms, found[1].span_ms),
            (Some((0, 8_000)), None)
        );
        let without = best(&rows, 9, |content| content != 2);
        assert_eq!(without.len(), 2);
    }

    #[test]
    fn neighbours_that_fit_too_are_one_moment() {
        let scores = [0.0, 0.1, 0.8, 0.9, 0.7, 0.0, 0.85];
        let rows = scores.iter().enumerate();
        let rows = rows.map(|(at, &score)| (key(0, 4 * at as u32, 4 * at as u32 + 8), score));

        let found = best(&rows.collect::<Vec<_>>(), 1, |_| true);

        assert_eq!(found[0].span_ms, Some((8_000, 24_000)));
    }

    #[test]
    fn windows_that_do_not_touch_are_not_merged() {
        let rows = [
            (key(0, 0, 4), 0.9),
            (key(0, 6, 10), 0.89),
            (key(0, 20, 24), -0.9),
        ];

        let found = best(&rows, 1, |_| true);

        assert_eq!(found[0].span_ms, Some((0, 4_000)));
    }

    #[test]
    fn videos_that_are_not_wanted_are_passed_over_however_many_they_are() {
        let rows = (0..5_000).map(|content| (key(content, 0, 0), -(content as f32)));

        let found = best(&rows.collect::<Vec<_>>(), 2, |content| content >= 4_990);

        let contents: Vec<_> = found.iter().map(|moment| moment.content).collect();
        assert_eq!(contents, [4_990, 4_991]);
    }

    #[test]
    fn alike_videos_come_in_the_order_of_the_index() {
        let rows = (0..50).map(|content| (key(content, 0, 0), 0.5));

        let found = best(&rows.collect::<Vec<_>>(), 3, |_| true);

        let contents: Vec<_> = found.iter().map(|moment| moment.content).collect();
        assert_eq!(contents, [0, 1, 2]);
    }
}
