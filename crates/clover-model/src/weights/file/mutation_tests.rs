use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::sample::*;
use super::*;

/// Of each kind of file.
const MUTATIONS: usize = 10_000;

/// Numbers that sizes and places go wrong at.
const NUMBERS: [u64; 8] = [
    0,
    0x7f,
    0xffff,
    0x7fff_ffff,
    0xffff_ffff,
    1 << 40,
    i64::MAX as u64,
    u64::MAX,
];

fn samples() -> [(&'static str, Vec<u8>); 4] {
    let view_of = |key, shape: &[i64], strides: &[i64]| {
        view(storage("FloatStorage", key, 6), 0, shape, strides)
    };
    let value = dict(&[
        ("matrix", view_of("0", &[2, 3], &[3, 1])),
        ("state", dict(&[("turned", view_of("0", &[3, 2], &[1, 3]))])),
        ("other", call(global("argparse", "Namespace"), &[text("x")])),
        ("corner", view_of("1", &[2], &[3])),
    ]);
    let header = r#"{"__metadata__":{"format":"pt"},
        "b":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},
        "a":{"dtype":"BF16","shape":[2],"data_offsets":[24,28]}}"#;
    let index = r#"{"weight_map":{"a":"part.safetensors","b":"part.safetensors"}}"#;
    let values = floats(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    let counted = [("0", 6, values.clone()), ("1", 6, values.clone())];
    let plain = [("0", values.clone()), ("1", values.clone())];
    [
        ("archive", archive(&value, &plain)),
        ("legacy", legacy(&value, &counted)),
        ("safetensors", safetensors(header, &[0; 28])),
        ("index", index.as_bytes().to_vec()),
    ]
}

fn mutate(bytes: &mut Vec<u8>, random: &mut ChaCha8Rng) {
    for _ in 0..random.random_range(1..4) {
        if bytes.is_empty() {
            return;
        }
        let place = random.random_range(0..bytes.len());
        let rest = bytes.len() - place;
        match random.random_range(0..7) {
            0 => bytes[place] = random.random(),
            1 => bytes[place] ^= 1 << random.random_range(0..8),
            2 => {
                let number = NUMBERS[random.random_range(0..NUMBERS.len())].to_le_bytes();
                let width = [1, 2, 4, 8][random.random_range(0..4)].min(rest);
                bytes[place..place + width].copy_from_slice(&number[..width]);
            }
            3 => bytes.truncate(place),
            4 => drop(bytes.drain(place..place + random.random_range(0..=rest.min(16)))),
            5 => {
                let part = bytes[place..place + rest.min(32)].to_vec();
                let target = random.random_range(0..=bytes.len());
                bytes.splice(target..target, part);
            }
            _ => bytes.insert(
                place,
                b"(.)}]tuRbQcsqh\x93\x81\x85"[random.random_range(0..17)],
            ),
        }
    }
}

/// Reads everything; what is read must fit in the file it came from.
fn read_all(bytes: Vec<u8>) -> bool {
    let Ok(file) = WeightFile::from_bytes(bytes) else {
        return false;
    };
    let bytes: u64 = file.files().map(|(_, bytes)| bytes).sum();
    for entry in file.entries() {
        if let Ok(data) = file.data(&entry.name) {
            assert_eq!(&*data.shape, &*entry.shape);
            let read = data.num_elements() as u64 * entry.dtype.size() as u64;
            assert!(read <= bytes, "{} of {bytes} bytes", entry.name);
        }
    }
    true
}

/// Reads an index; all that it may name are files beside it.
fn read_index(bytes: Vec<u8>) -> bool {
    let source = Source::in_memory("index".as_ref(), bytes);
    let Ok(index) = shards::Index::read(&source) else {
        return false;
    };
    assert!(
        index
            .shards()
            .all(|shard| !shard.contains('/') && shard != "..")
    );
    true
}

#[test]
fn no_mutation_of_a_file_makes_more_than_an_error() {
    let mut random = ChaCha8Rng::seed_from_u64(7);
    for (kind, whole) in samples() {
        let read = match kind {
            "index" => read_index,
            _ => read_all,
        };
        assert!(read(whole.clone()), "{kind}");
        let mut opened = 0;
        for _ in 0..MUTATIONS {
            let mut bytes = whole.clone();
            mutate(&mut bytes, &mut random);
            opened += usize::from(read(bytes));
        }
        // Values may change, and then the file opens as before: not all is refused at the door.
        assert!((1..MUTATIONS).contains(&opened), "{kind}: {opened}");
    }
}
