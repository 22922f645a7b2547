use super::sample::*;

fn one(class: &str, elements: i64, shape: &[i64], strides: &[i64]) -> Vec<u8> {
    let tensor = view(storage(class, "0", elements), 0, shape, strides);
    dict(&[("weight", tensor)])
}

/// A checkpoint of two floats in the given view of them.
fn two_floats(elements: i64, offset: i64, shape: &[i64], strides: &[i64]) -> Vec<u8> {
    let tensor = view(
        storage("FloatStorage", "0", elements),
        offset,
        shape,
        strides,
    );
    archive(&dict(&[("weight", tensor)]), &[("0", vec![0; 8])])
}

#[track_caller]
fn assert_refused(bytes: impl AsRef<[u8]>, parts: &[&str]) {
    let message = refusal(bytes);
    for part in parts {
        assert!(message.contains(part), "{part:?} in {message:?}");
    }
    assert!(message.starts_with("bytes in memory: "), "{message}");
}

#[test]
fn what_is_no_file_of_weights_is_called_what_it_is() {
    assert_refused(b"", &["it is empty"]);
    assert_refused(b"<!DOCTYPE html><html>Sign in</html>", &["web page"]);
    assert_refused(b"\n  <HTML><body>404</body>", &["web page"]);
    assert_refused(
        b"\xef\xbb\xbf<?xml version=\"1.0\"?><Error/>",
        &["web page"],
    );
    assert_refused(
        b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n",
        &["git-lfs"],
    );
    assert_refused(b"\x1f\x8b\x08\0\0", &["gzip"]);
    assert_refused(
        b"\x80\x04]\x94.",
        &["a pickle that PyTorch's `save` did not write"],
    );
    assert_refused(b"GGUF\x03\0\0\0", &["GGUF"]);
    assert_refused(b"Entry not found", &["neither a checkpoint"]);
    assert_refused(
        br#"{"error":"no access"}"#,
        &["index of shards where the tensors should be"],
    );
    let mut tar = vec![0; 512];
    tar[257..262].copy_from_slice(b"ustar");
    assert_refused(tar, &["tar archive"]);
}

#[test]
fn a_file_cut_short_anywhere_is_refused() {
    let value = one("FloatStorage", 2, &[2], &[1]);
    let header = r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#;
    for whole in [
        archive(&value, &[("0", vec![0; 8])]),
        legacy(&value, &[("0", 2, vec![0; 8])]),
        safetensors(header, &[0; 8]),
    ] {
        open(&whole).unwrap();
        for length in 0..whole.len() {
            assert!(
                open(&whole[..length]).is_err(),
                "{length} of {}",
                whole.len()
            );
        }
    }
    let archive = archive(&value, &[("0", vec![0; 8])]);
    assert_refused(&archive[..archive.len() - 1], &["cut short"]);
    assert_refused(
        safetensors(header, &[0; 7]),
        &["the last tensor", "cut short"],
    );
    let legacy = legacy(&value, &[("0", 2, vec![0; 8])]);
    assert_refused(&legacy[..legacy.len() - 1], &["a storage", "cut short"]);
}

#[test]
fn flipped_bits_are_found_by_the_checksum() {
    let value = one("FloatStorage", 2, &[2], &[1]);
    let mut bytes = archive(&value, &[("0", floats(&[0.123, 4.567]))]);
    let wanted = floats(&[0.123, 4.567]);
    let place = bytes.windows(8).position(|bytes| bytes == wanted).unwrap();
    bytes[place + 2] ^= 0x10;
    let mut in_pickle = bytes.clone();
    let place = in_pickle
        .windows(6)
        .position(|bytes| bytes == b"weight")
        .unwrap();
    in_pickle[place] ^= 0x01;

    let file = open(bytes).unwrap();

    let error = message(&file.data("weight").unwrap_err());
    assert!(error.contains("tensor `weight` is damaged"), "{error}");
    assert_refused(in_pickle, &["the pickle is damaged"]);
}

#[test]
fn tensors_that_claim_more_than_there_is_are_refused() {
    assert_refused(
        two_floats(2, 0, &[3], &[1]),
        &["`weight`", "beyond its storage"],
    );
    assert_refused(two_floats(2, 1, &[2], &[1]), &["beyond its storage"]);
    assert_refused(
        two_floats(2, 0, &[2, 2], &[1, 1 << 62]),
        &["beyond its storage"],
    );
    assert_refused(two_floats(2, 0, &[1 << 40, 1 << 40], &[1, 1]), &["counted"]);
    assert_refused(two_floats(2, i64::MAX, &[2], &[1]), &["beyond its storage"]);
    assert_refused(two_floats(2, -1, &[2], &[1]), &["no number"]);
    assert_refused(two_floats(2, 0, &[-2], &[1]), &["from zero on"]);
    assert_refused(two_floats(2, 0, &[2], &[1, 1]), &["more axes than strides"]);
    assert_refused(two_floats(3, 0, &[2], &[1]), &["fewer bytes"]);
    assert_refused(
        two_floats(i64::MAX, 0, &[2], &[1]),
        &["`weight`", "storage"],
    );

    let terabyte =
        r#"{"a":{"dtype":"F32","shape":[274877906944],"data_offsets":[0,1099511627776]}}"#;
    assert_refused(safetensors(terabyte, &[0; 8]), &["1099511627", "cut short"]);
    let header = (1_u64 << 39).to_le_bytes();
    assert_refused([&header[..], b"{}"].concat(), &["the header", "cut short"]);
    let value = one("FloatStorage", 2, &[2], &[1]);
    assert_refused(
        legacy(&value, &[("0", 1 << 40, vec![0; 8])]),
        &["cut short"],
    );
    assert_refused(
        legacy(&value, &[("0", u64::MAX, vec![0; 8])]),
        &["storages"],
    );
}

#[test]
fn a_view_that_repeats_its_elements_is_listed_and_not_unfolded() {
    let few = open(two_floats(2, 1, &[3], &[0])).unwrap();
    let file = open(two_floats(2, 0, &[1 << 40], &[0])).unwrap();

    assert_eq!(values(&few, "weight"), [0.0; 3]);
    assert_eq!(file.entries()[0].elements(), 1 << 40);
    let message = message(&file.data("weight").unwrap_err());
    assert!(message.contains("repeats"), "{message}");
}

#[test]
fn safetensors_must_account_for_every_byte() {
    let header = |first: &str, second: &str| {
        format!(
            r#"{{"a":{{"dtype":"F32","shape":[1],"data_offsets":{first}}},
            "b":{{"dtype":"F32","shape":[1],"data_offsets":{second}}}}}"#
        )
    };

    open(safetensors(&header("[0,4]", "[4,8]"), &[0; 8])).unwrap();
    assert_refused(
        safetensors(&header("[0,4]", "[0,4]"), &[0; 4]),
        &["belong to no tensor, or to two"],
    );
    assert_refused(
        safetensors(&header("[0,4]", "[8,12]"), &[0; 12]),
        &["bytes 4 to 8"],
    );
    assert_refused(
        safetensors(&header("[0,4]", "[4,8]"), &[0; 9]),
        &["bytes 8 to 9"],
    );
    assert_refused(
        safetensors(&header("[0,4]", "[4,9]"), &[0; 9]),
        &["`b`", "number of bytes"],
    );
    assert_refused(
        safetensors(&header("[0,4]", "[8,4]"), &[0; 8]),
        &["`b`", "before they begin"],
    );
    assert_refused(safetensors(r#"{"a":3}"#, &[]), &["header is broken"]);
    assert_refused(safetensors("{}", &[]), &["no tensors"]);
    assert_refused(
        safetensors(&"[".repeat(100_000).replacen('[', "{\"a\":", 1), &[]),
        &["header"],
    );
}

#[test]
fn names_that_come_twice_are_refused() {
    let header = r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},
        "a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#;
    assert_refused(safetensors(header, &[0; 8]), &["two tensors are named `a`"]);

    let weight = || view(storage("FloatStorage", "0", 2), 0, &[2], &[1]);
    let nested = dict(&[("a", dict(&[("b", weight())])), ("a.b", weight())]);
    assert_refused(archive(&nested, &[("0", vec![0; 8])]), &["named `a.b`"]);

    let entry = Entry::new("x/data.pkl", pickle(b"}"));
    assert_refused(zip(&[entry.clone(), entry]), &["data.pkl", "twice"]);
}

#[test]
fn archives_that_would_grow_or_lie_are_refused() {
    let value = pickle(&one("FloatStorage", 2, &[2], &[1]));
    let data = Entry::new("x/data.pkl", &value);
    let deflated = Entry {
        method: 8,
        ..Entry::new("x/data/0", [0; 8])
    };
    let bomb = Entry {
        method: 8,
        ..data.clone()
    };
    let beyond = Entry {
        claimed: 1 << 30,
        ..Entry::new("x/data/0", [0; 8])
    };

    assert_refused(zip(&[bomb]), &["data.pkl", "compressed"]);
    assert_refused(zip(&[data.clone(), deflated]), &["x/data/0", "compressed"]);
    assert_refused(zip(&[data.clone(), beyond]), &["x/data/0", "beyond"]);
    assert_refused(
        zip(std::slice::from_ref(&data)),
        &["x/data/0", "is missing"],
    );
    assert_refused(
        zip(&[Entry::new("readme.txt", "hello")]),
        &["no `data.pkl`"],
    );
    assert_refused(zip(&[]), &["no `data.pkl`"]);
    let second = Entry::new("y/data.pkl", &value);
    assert_refused(zip(&[data.clone(), second]), &["several pickles"]);
    let order = Entry::new("x/byteorder", "big");
    assert_refused(zip(&[data, order]), &["most significant byte first"]);
}

#[test]
fn pickles_that_would_run_code_are_refused_by_name() {
    let system = call(global("posix", "system"), &[text("rm -rf /")]);
    let evaluated = call(global("builtins", "eval"), &[text("1")]);
    let within = dict(&[("state_dict", dict(&[])), ("meta", system.clone())]);

    assert_refused(archive(&system, &[]), &["`posix.system`"]);
    assert_refused(archive(&within, &[]), &["`posix.system`"]);
    assert_refused(archive(&evaluated, &[]), &["`builtins.eval`"]);
    assert_refused(archive(b"\x82\x01", &[]), &["EXT1", "0x82"]);
    assert_refused(archive(b"\xf0", &[]), &["0xf0"]);
    let model = call(global("mymodel", "Net"), &[]);
    assert_refused(archive(&model, &[]), &["`mymodel.Net`", "state_dict()"]);
    assert_refused(archive(&dict(&[]), &[]), &["no tensors"]);
}

#[test]
fn values_within_themselves_or_shared_without_bound_are_refused() {
    let itself = b"}q\x00X\x01\x00\x00\x00ah\x00s";
    // Each dict holds the one before it ten times.
    let mut shared = b"}q\x00".to_vec();
    for level in 0..12_u8 {
        shared.extend(b"}(");
        for key in 0..10 {
            shared.extend([int(key), vec![b'h', level]].concat());
        }
        shared.extend([b'u', b'q', level + 1]);
    }

    assert_refused(archive(itself, &[]), &["far more than the file"]);
    assert_refused(archive(&shared, &[]), &["far more than the file"]);
}

#[test]
fn legacy_lists_of_storages_must_fit() {
    let value = one("FloatStorage", 2, &[2], &[1]);

    assert_refused(legacy(&value, &[]), &["list of storages"]);
    assert_refused(
        legacy(&value, &[("9", 2, vec![0; 8])]),
        &["list of storages"],
    );
    let twice = [("0", 2, vec![0; 8]), ("0", 2, vec![0; 8])];
    assert_refused(legacy(&value, &twice), &["list of storages"]);
}
