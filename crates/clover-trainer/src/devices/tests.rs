use std::sync::Mutex;
use std::time::{Duration, Instant};

use burn::prelude::*;

use super::*;
use crate::{TestBackend, TrainerError};

type Device = <TestBackend as burn::tensor::backend::BackendTypes>::Device;

/// A group of peers that share the CPU.
pub(crate) fn sharing_the_cpu(peers: usize, timeout: Duration) -> Group<TestBackend> {
    Group {
        devices: vec![Device::default(); peers],
        nodes: None,
        timeout,
    }
}

/// What each of some peers makes of `work`, in the order of ranks.
pub(crate) fn on_peers<T: Send>(
    peers: usize,
    work: impl Fn(&Peer<TestBackend>) -> T + Sync,
) -> Vec<T> {
    let done: Mutex<Vec<Option<T>>> = Mutex::new((0..peers).map(|_| None).collect());
    let keep = |peer: &Peer<TestBackend>, _: &Device| {
        let made = work(peer);
        done.lock().unwrap()[peer.rank()] = Some(made);
        Ok::<_, TrainerError>(())
    };
    let group = sharing_the_cpu(peers, Duration::from_secs(120));
    group.run(keep, keep).unwrap();
    let done = done.into_inner().unwrap();
    done.into_iter().map(Option::unwrap).collect()
}

fn vector(values: &[f32]) -> Tensor<TestBackend, 1> {
    Tensor::from_data(values, &Default::default())
}

fn values<const D: usize>(tensor: Tensor<TestBackend, D>) -> Vec<f32> {
    tensor.into_data().to_vec().unwrap()
}

#[test]
fn a_sum_is_the_same_to_the_bit_on_every_peer_and_in_every_run() {
    // In another order the sum of these is 0 or 1.
    let addends = [1e8_f32, 1.0, -1e8, 1.0];
    let expected = ((addends[0] + addends[1]) + addends[2]) + addends[3];
    for _ in 0..8 {
        let sums = on_peers(4, |peer| {
            values(peer.sum(vector(&[addends[peer.rank()], 2.0])).unwrap())
        });

        assert_eq!(sums, vec![vec![expected, 8.0]; 4]);
    }
}

#[test]
fn rows_are_gathered_at_their_places_from_uneven_shares() {
    let device = Device::default();

    let gathered = on_peers(3, |peer| {
        let (rows, places) = match peer.rank() {
            0 => (Some(vector(&[1.0, 2.0]).reshape([1, 2])), vec![0]),
            1 => (None, vec![]),
            _ => (
                Some(vector(&[3.0, 4.0, 5.0, 6.0]).reshape([2, 2])),
                vec![1, 3],
            ),
        };
        values(peer.gather(rows, &places, [4, 2], &device).unwrap())
    });

    let expected = vec![1.0, 2.0, 3.0, 4.0, 0.0, 0.0, 5.0, 6.0];
    assert_eq!(gathered, vec![expected; 3]);
}

#[test]
fn one_yes_is_enough() {
    let device = Device::default();

    let said = on_peers(2, |peer| peer.any(peer.rank() == 1, &device).unwrap());
    let silent = on_peers(2, |peer| peer.any(false, &device).unwrap());

    assert_eq!((said, silent), (vec![true; 2], vec![false; 2]));
}

#[test]
fn peers_that_set_out_on_different_runs_are_told_what_differs() {
    let device = Device::default();

    let told = on_peers(3, |peer| {
        // Nearly the same: an f32 could not tell them apart.
        let data = u64::MAX - u64::from(peer.rank() == 2);
        let agreed = peer.agree(&[("recipe", 7), ("data", data)], &device);
        agreed.unwrap_err().to_string()
    });

    assert_eq!(
        told,
        vec!["the data of rank 2 differs from that of rank 0"; 3]
    );
}

#[test]
fn a_peer_that_fails_ends_the_others_and_is_the_one_complained_about() {
    let group = sharing_the_cpu(3, Duration::from_secs(120));
    let started = Instant::now();

    let ended = group.run(
        |peer, _| Ok(peer.sum(vector(&[1.0])).map(drop)?),
        |peer, _| match peer.rank() {
            1 => Err(TrainerError::NothingToEvaluate),
            _ => Ok(peer.sum(vector(&[1.0])).map(drop)?),
        },
    );

    assert!(
        matches!(ended, Err(TrainerError::NothingToEvaluate)),
        "{ended:?}"
    );
    assert!(started.elapsed() < Duration::from_secs(60));
}

#[test]
fn a_peer_that_does_not_come_is_named_within_the_bound() {
    let group = sharing_the_cpu(2, Duration::from_secs(1));

    let ended = group.run(
        |peer, _| Ok(peer.sum(vector(&[1.0])).map(drop)?),
        |_, _| {
            std::thread::sleep(Duration::from_secs(3));
            Ok(())
        },
    );

    let complaint = ended.unwrap_err().to_string();
    assert_eq!(
        complaint,
        "device 1 of this process did not answer within 1 s"
    );
}

#[test]
fn a_peer_that_panics_ends_the_others() {
    let group = sharing_the_cpu(2, Duration::from_secs(120));

    let ended = group.run(
        |peer, _| Ok(peer.sum(vector(&[1.0])).map(drop)?),
        |_, _| panic!("as a bug would"),
    );

    let complaint = ended.unwrap_err().to_string();
    assert_eq!(complaint, "device 1 of this process is lost: it panicked");
}

#[test]
fn nodes_that_do_not_come_are_named_within_the_bound() {
    let nodes = |node, orchestrator: &str| Group::<TestBackend> {
        devices: vec![Device::default()],
        nodes: Some(Nodes {
            count: 2,
            node,
            orchestrator: orchestrator.to_owned(),
        }),
        timeout: Duration::from_secs(1),
    };
    let complaint = |group: Group<TestBackend>| {
        let ended = group.run(|_, _| Ok(()), |_, _| Ok(()));
        ended.unwrap_err().to_string()
    };

    assert_eq!(
        complaint(nodes(0, "ws://127.0.0.1:37611")),
        "node 1 did not answer within 1 s"
    );
    assert_eq!(
        complaint(nodes(1, "ws://127.0.0.1:37612")),
        "node 0 did not answer within 1 s"
    );
    assert_eq!(
        complaint(nodes(1, "127.0.0.1")),
        "127.0.0.1: must have the form ws://host:port"
    );
    assert_eq!(
        complaint(nodes(2, "ws://127.0.0.1:37611")),
        "node 2 was asked for, but there are 2 nodes"
    );
}
