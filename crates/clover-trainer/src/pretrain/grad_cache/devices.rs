//! Several peers, each with its share, against one device with the whole batch.

use burn::module::Module;

use super::tests::{
    BATCH, Trained, assert_same, assert_same_end, clover, cut, noise, norm, plain_trajectory, read,
    samples, trajectory, whole,
};
use super::*;
use crate::TestBackend;
use crate::devices::tests::on_peers;
use crate::devices::{GradientScaling, Peer};

/// What a peer makes of the samples at `places`, in micro-batches of `size`.
fn gradients_of(
    peer: &Peer<TestBackend>,
    clover: &Clover<Trained>,
    samples: &[PretrainingSample],
    places: &[usize],
    (size, scaling): (usize, GradientScaling),
) -> Result<BatchGradients<Trained>, DevicesError> {
    let shared = SharedBatch {
        peer,
        places,
        slots: samples.len(),
        scaling,
    };
    let own: Vec<_> = places.iter().map(|&place| samples[place].clone()).collect();
    let (objective, device) = (PretrainingObjective::default(), Default::default());
    let clover = apart(clover);
    micro_batched_gradients(
        &objective,
        &clover,
        &own,
        &cut(size),
        &noise(1),
        &shared,
        &device,
    )
}

/// The model with parameters that no other peer differentiates by, as each has its own in a run: Burn
/// keeps all that comes from a parameter in one graph, and loses steps that threads add to it at once.
fn apart(clover: &Clover<Trained>) -> Clover<Trained> {
    clover.clone().fork(&Default::default())
}

fn share(peer: &Peer<TestBackend>) -> Vec<usize> {
    peer.share().places(BATCH).collect()
}

fn pairs() -> Vec<PretrainingSample> {
    samples(BATCH, |row| 1 + row % 3)
}

#[test]
fn the_gradient_of_several_peers_is_that_of_one_device() {
    let (clover, pairs) = (clover(), pairs());
    let expected = whole(&clover, &pairs, &noise(1));
    // Shares of five samples are uneven, and for six peers one is empty. Peers with one micro-batch
    // keep its graph, those with two encode again.
    for (peers, size) in [(2, 1), (3, BATCH), (6, 1)] {
        let found = on_peers(peers, |peer| {
            let how = (size, GradientScaling::FullBatch);
            gradients_of(peer, &clover, &pairs, &share(peer), how).unwrap()
        });

        for found in found {
            assert_eq!(found.items, BATCH);
            assert_same(&clover, &found, &expected, &format!("{peers} peers"));
        }
    }
}

#[test]
fn a_peer_without_masked_words_has_no_share_of_the_word_loss() {
    let clover = clover();
    let pairs = samples(BATCH, |row| if row == 3 { 2 } else { 0 });
    let expected = whole(&clover, &pairs, &noise(1));

    let found = on_peers(3, |peer| {
        let how = (BATCH, GradientScaling::FullBatch);
        gradients_of(peer, &clover, &pairs, &share(peer), how).unwrap()
    });

    for found in found {
        assert_same(&clover, &found, &expected, "words at one peer");
    }
}

#[test]
fn the_batch_is_what_the_peers_have_of_it() {
    let (clover, pairs) = (clover(), pairs());
    // The first sample of the second peer is missing.
    let present: Vec<usize> = (0..BATCH).filter(|&place| place != 1).collect();
    let left: Vec<_> = present.iter().map(|&place| pairs[place].clone()).collect();
    let expected = whole(&clover, &left, &noise(1).at(&present));

    let found = on_peers(3, |peer| {
        let mut places = share(peer);
        places.retain(|place| present.contains(place));
        let how = (BATCH, GradientScaling::FullBatch);
        gradients_of(peer, &clover, &pairs, &places, how).unwrap()
    });

    for found in found {
        assert_eq!(found.items, BATCH - 1);
        assert_same(&clover, &found, &expected, "a sample less");
    }
}

#[test]
fn a_batch_of_which_no_peer_has_anything_is_an_error_on_all() {
    let (clover, pairs) = (clover(), pairs());

    let found = on_peers(2, |peer| {
        let how = (BATCH, GradientScaling::FullBatch);
        gradients_of(peer, &clover, &pairs, &[], how).map(drop)
    });

    for found in found {
        assert!(matches!(found, Err(DevicesError::NothingRead)), "{found:?}");
    }
}

#[test]
fn the_published_scaling_divides_comparisons_and_averages_the_peers_words() {
    // As many words for each peer, so that the mean of means is the mean.
    let (clover, pairs) = (clover(), samples(4, |_| 2));
    let of = |scaling| {
        let found = on_peers(2, |peer| {
            let places: Vec<usize> = peer.share().places(4).collect();
            gradients_of(peer, &clover, &pairs, &places, (4, scaling)).unwrap()
        });
        found.into_iter().next().unwrap()
    };
    let [full, published] = [GradientScaling::FullBatch, GradientScaling::Published].map(of);

    // What only words teach is as it was; what only comparisons teach is halved.
    let [full, published] = [full, published].map(|all| read(&clover, Some(&all.gradients)));
    for (path, factor) in [
        ("mlm_head", 1.0),
        ("video_projection", 0.5),
        ("text_projection", 0.5),
        ("fused_masked_text_head", 0.5),
    ] {
        let values = |all: &std::collections::BTreeMap<String, Vec<f64>>| {
            let of_part = all.iter().filter(|(name, _)| name.starts_with(path));
            norm(of_part.flat_map(|(_, values)| values.clone()))
        };
        let (found, expected) = (values(&published), values(&full) * factor);
        assert!(expected > 0.0, "{path} learns nothing");
        assert!(
            (found - expected).abs() <= 1e-5 * expected,
            "{path}: {found} {expected}"
        );
    }
}

#[test]
fn steps_of_several_peers_lead_where_those_of_one_device_lead() {
    let clover = clover();
    let expected = plain_trajectory(clover.clone());
    // In whole shares, and in micro-batches of them.
    for size in [BATCH, 1] {
        let found = on_peers(3, |peer| {
            trajectory(apart(&clover), &|clover, samples, noise| {
                let places = share(peer);
                let shared = SharedBatch {
                    peer,
                    places: &places,
                    slots: BATCH,
                    scaling: GradientScaling::FullBatch,
                };
                let own = &samples[peer.share().places(BATCH)];
                let (objective, device) = (PretrainingObjective::default(), Default::default());
                let found = micro_batched_gradients(
                    &objective,
                    clover,
                    own,
                    &cut(size),
                    noise,
                    &shared,
                    &device,
                );
                found.unwrap()
            })
        });

        let first = read(&found[0].0, None);
        for found in &found {
            assert_same_end(found, &expected, "three peers");
            assert!(read(&found.0, None) == first, "the peers' models differ");
        }
    }
}
