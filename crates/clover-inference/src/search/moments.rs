//! From the scores of rows to the best moment of each video.

use std::cmp::Ordering;
use std::collections::BTreeMap;

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

/// The `top` best contents, each with its best moment. `wanted` tells which count.
pub(crate) fn best_moments(
    rows: impl Iterator<Item = (RowKey, f32)> + Clone,
    top: usize,
    wanted: impl Fn(u32) -> bool,
) -> Vec<Moment> {
    // First the best row of each content, then, of few, their windows.
    let mut best = BTreeMap::<u32, (f32, RowKey)>::new();
    for (key, score) in rows.clone() {
        let own = best.entry(key.content).or_insert((score, key));
        if score > own.0 {
            *own = (score, key);
        }
    }
    let mut found: Vec<(f32, RowKey)> = best
        .into_iter()
        .filter(|&(content, _)| wanted(content))
        .map(|(_, own)| own)
        .collect();
    let order =
        |a: &(f32, RowKey), b: &(f32, RowKey)| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1));
    if found.len() > top {
        found.select_nth_unstable_by(top, order);
        found.truncate(top);
    }
    found.sort_by(order);

    let mut windows: BTreeMap<u32, Vec<Window>> = found
        .iter()
        .map(|(_, key)| (key.content, Vec::new()))
        .collect();
    for (key, score) in rows {
        if let Some(own) = windows.get_mut(&key.content)
            && !key.is_whole()
        {
            own.push(Window {
                start_ms: key.start_ms,
                end_ms: key.end_ms,
                score,
            });
        }
    }
    found
        .into_iter()
        .map(|(score, key)| Moment {
            content: key.content,
            score,
            key,
            span_ms: windows.get_mut(&key.content).and_then(|own| merged(own)),
        })
        .collect()
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

    #[test]
    fn the_best_row_of_a_video_counts_and_videos_come_best_first() {
        let rows = [
            (key(0, 0, 0), 0.1),
            (key(1, 0, 0), 0.5),
            (key(2, 0, 0), 0.2),
            (key(2, 0, 8), 0.9),
            (key(2, 4, 12), 0.1),
        ];

        let found = best_moments(rows.into_iter(), 2, |_| true);

        let contents: Vec<_> = found
            .iter()
            .map(|moment| (moment.content, moment.score))
            .collect();
        assert_eq!(contents, [(2, 0.9), (1, 0.5)]);
        assert_eq!(
            (found[0].span_ms, found[1].span_ms),
            (Some((0, 8_000)), None)
        );
        let without = best_moments(rows.into_iter(), 9, |content| content != 2);
        assert_eq!(without.len(), 2);
    }

    #[test]
    fn neighbours_that_fit_too_are_one_moment() {
        let scores = [0.0, 0.1, 0.8, 0.9, 0.7, 0.0, 0.85];
        let rows = scores.iter().enumerate();
        let rows = rows.map(|(at, &score)| (key(0, 4 * at as u32, 4 * at as u32 + 8), score));

        let found = best_moments(rows, 1, |_| true);

        assert_eq!(found[0].span_ms, Some((8_000, 24_000)));
    }

    #[test]
    fn windows_that_do_not_touch_are_not_merged() {
        let rows = [
            (key(0, 0, 4), 0.9),
            (key(0, 6, 10), 0.89),
            (key(0, 20, 24), -0.9),
        ];

        let found = best_moments(rows.into_iter(), 1, |_| true);

        assert_eq!(found[0].span_ms, Some((0, 4_000)));
    }

    #[test]
    fn alike_videos_come_in_the_order_of_the_index() {
        let rows = (0..50).map(|content| (key(content, 0, 0), 0.5));

        let found = best_moments(rows, 3, |_| true);

        let contents: Vec<_> = found.iter().map(|moment| moment.content).collect();
        assert_eq!(contents, [0, 1, 2]);
    }
}
