use super::*;
use crate::TestBackend;
use crate::metric::Storage;

const SMALL: BlockedRanking = BlockedRanking {
    queries: 7,
    candidates: 5,
    threads: 3,
};

fn rows(count: usize, seed: u32) -> Vec<f32> {
    let value = |at: u32| ((at.wrapping_mul(2_654_435_761) >> 16) as f32).sin();
    (seed..seed + 3 * count as u32).map(value).collect()
}

fn table(values: &[f32]) -> EmbeddingTable {
    EmbeddingTable::of_rows("text", Storage::F32, values, 3).unwrap()
}

/// All candidates of each query by a stable sort of their scores.
fn sorted(queries: &[f32], candidates: &[f32]) -> Vec<Vec<usize>> {
    let (queries, candidates) = (table(queries), table(candidates));
    let sort = |query| {
        let mut order: Vec<usize> = (0..candidates.len()).collect();
        let score = |candidate: usize| queries.cosine(query, &candidates, candidate) + 0.0;
        order.sort_by(|&a, &b| score(b).total_cmp(&score(a)));
        order
    };
    (0..queries.len()).map(sort).collect()
}

fn ranks(how: BlockedRanking, queries: &[f32], candidates: &[f32], own: &[usize]) -> Vec<usize> {
    let (queries, candidates) = (table(queries), table(candidates));
    let ranks = how.ranks::<TestBackend>(&queries, &candidates, own, &Default::default());
    ranks.unwrap()
}

#[test]
fn ranks_are_those_of_a_sorted_list_whatever_the_blocks() {
    let (queries, candidates) = (rows(40, 0), rows(33, 500));
    let own: Vec<usize> = (0..40).map(|query| query * 5 % 33).collect();

    let small = ranks(SMALL, &queries, &candidates, &own);
    let whole = ranks(BlockedRanking::default(), &queries, &candidates, &own);

    assert_eq!(small, whole);
    for (query, sorted) in sorted(&queries, &candidates).iter().enumerate() {
        assert_eq!(sorted[small[query]], own[query], "query {query}");
    }
}

#[test]
fn of_equal_candidates_the_first_ranks_first_also_across_blocks() {
    // Twelve times the same candidate, whose products may round in different ways.
    let one = [0.3, -0.7, 0.2];
    let candidates: Vec<f32> = std::iter::repeat_n(one, 12).flatten().collect();
    let queries: Vec<f32> = std::iter::repeat_n([0.1, 0.5, 0.9], 12).flatten().collect();
    let own: Vec<usize> = (0..12).collect();

    assert_eq!(ranks(SMALL, &queries, &candidates, &own), own);
}

#[test]
fn a_score_that_is_hardly_higher_is_told_apart() {
    // The other candidate is nearer to the query by less than what a product may round by.
    let candidates = [1.0, 1e-3, 0.0, 1.0, 1.2e-3, 0.0];

    let found = ranks(SMALL, &[1.0, 0.0, 0.0, 1.0, 0.0, 0.0], &candidates, &[0, 1]);

    assert_eq!(found, [0, 1]);
}

#[test]
fn the_best_are_those_of_a_sorted_list() {
    let (queries, candidates) = (rows(20, 0), rows(33, 500));
    let (queries_table, candidates_table) = (table(&queries), table(&candidates));

    let best = SMALL.best::<TestBackend>(&queries_table, &candidates_table, 4, &Default::default());

    let sorted = sorted(&queries, &candidates);
    for (best, sorted) in best.unwrap().iter().zip(&sorted) {
        let numbers: Vec<usize> = best.iter().map(|found| found.0).collect();
        assert_eq!(numbers, sorted[..4]);
    }
}

#[test]
fn the_best_keep_the_order_of_equal_scores() {
    let (query, candidates) = (
        [1.0, 0.0, 0.0],
        [0.0, -1.0, 0.0, -0.0, 1.0, 0.0, 1.0, 0.0, 0.0],
    );

    let best =
        SMALL.best::<TestBackend>(&table(&query), &table(&candidates), 3, &Default::default());

    let numbers: Vec<usize> = best.unwrap()[0].iter().map(|found| found.0).collect();
    assert_eq!(numbers, [2, 0, 1]);
}

#[test]
fn half_the_memory_gives_nearly_the_same_ranks() {
    let (queries, candidates) = (rows(40, 0), rows(40, 500));
    let own: Vec<usize> = (0..40).collect();
    let half = |values| EmbeddingTable::of_rows("text", Storage::F16, values, 3).unwrap();

    let exact = ranks(SMALL, &queries, &candidates, &own);
    let halved = SMALL
        .ranks::<TestBackend>(
            &half(&queries),
            &half(&candidates),
            &own,
            &Default::default(),
        )
        .unwrap();

    let moved = exact
        .iter()
        .zip(&halved)
        .filter(|(a, b)| a.abs_diff(**b) > 1);
    assert_eq!(moved.count(), 0, "{exact:?} {halved:?}");
}

#[test]
fn tables_that_do_not_fit_are_refused() {
    let (three, none) = (table(&rows(2, 0)), table(&[]));
    let wide = EmbeddingTable::of_rows("video", Storage::F32, &[1.0; 4], 4).unwrap();
    let device = Default::default();
    let refused = |queries: &EmbeddingTable, candidates: &EmbeddingTable, own: &[usize]| {
        let ranks = SMALL.ranks::<TestBackend>(queries, candidates, own, &device);
        ranks.unwrap_err().to_string()
    };

    assert!(refused(&none, &three, &[]).contains("nothing"));
    assert!(refused(&three, &wide, &[0, 0]).contains("video"));
    assert!(refused(&three, &three, &[0]).contains("text"));
    assert!(refused(&three, &three, &[0, 2]).contains("of 2"));
}
