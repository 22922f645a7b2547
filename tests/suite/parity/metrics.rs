//! `metrics.safetensors`: retrieval and multiple-choice figures.

use clover_trainer::evaluate::{EmbeddedList, ListRetrieval};
use clover_trainer::metric::{EmbeddingTable, Storage, first_highest};
use serde_json::Value;

use super::deviation::Deviations;
use super::fixture::{Recorded, fixtures};
use crate::TestBackend;

const FILE: &str = "metrics.safetensors";
/// The published implementation computes some of these in 32-bit floats.
const BOUND: f64 = 1e-6;

fn compare_retrieval(
    deviations: &mut Deviations,
    recorded: &Recorded,
    (case, expected): (&str, &Value),
    text: &str,
    owner: &[usize],
) {
    let dim = recorded.data("video").shape[1];
    // The recorded texts of a clip need not follow each other; those of a list do.
    let (videos, texts) = (recorded.values("video"), recorded.values(text));
    let mut list = EmbeddedList::new(Storage::F32);
    for (clip, video) in videos.chunks_exact(dim).enumerate() {
        let own = texts.chunks_exact(dim).zip(owner);
        let own = own.filter_map(|(text, &owner)| (owner == clip).then_some(text));
        list.push(clip, video, own).unwrap();
    }
    let found = ListRetrieval::of::<TestBackend>(&list, &Default::default());
    let found = found.unwrap().text_to_video;
    let all = found.recall_at_1 + found.recall_at_5 + found.recall_at_10 - found.median_rank;
    for (key, found) in [
        ("Recall@1", found.recall_at_1),
        ("Recall@5", found.recall_at_5),
        ("Recall@10", found.recall_at_10),
        ("MR", found.median_rank),
        ("Recall@all", all),
    ] {
        if let Some(recorded) = expected[key].as_f64() {
            deviations.number(&format!("{case} {key}"), found, recorded, BOUND);
        }
    }
}

#[test]
fn figures_equal_the_published_ones() {
    for fixture in fixtures() {
        let recorded = fixture.read(FILE);
        let about = fixture.about(FILE);
        let mut deviations = Deviations::of(&fixture.name(), FILE);
        let indices = |name: &str| -> Vec<usize> {
            recorded
                .integers(name)
                .into_iter()
                .map(|value| value.try_into().unwrap())
                .collect()
        };

        let own: Vec<_> = (0..recorded.data("text").shape[0]).collect();
        let case = ("retrieval", &about["retrieval"]);
        compare_retrieval(&mut deviations, &recorded, case, "text", &own);
        let owner = indices("text_varied_owner");
        let case = ("retrieval_varied", &about["retrieval_varied"]);
        compare_retrieval(&mut deviations, &recorded, case, "text_varied", &owner);

        let [_, candidates, dim] = recorded.data("mc_text").shape[..] else {
            panic!("mc_text")
        };
        let table = |name: &'static str| {
            EmbeddingTable::of_rows(name, Storage::F32, &recorded.values(name), dim).unwrap()
        };
        let (videos, texts, labels) = (table("video"), table("mc_text"), indices("mc_label"));
        let right = labels.iter().enumerate().filter(|&(clip, &label)| {
            let options = clip * candidates..(clip + 1) * candidates;
            let scores = options.map(|text| texts.cosine(text, &videos, clip));
            first_highest(&scores.collect::<Vec<_>>()) == label
        });
        let accuracy = right.count() as f64 / labels.len() as f64;
        let expected = about["multiple_choice"]["acc"].as_f64().unwrap();
        deviations.number("multiple choice", accuracy, expected, BOUND);

        deviations.finish();
    }
}
