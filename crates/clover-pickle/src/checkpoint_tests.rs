use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;

fn checkpoint(bytes: &[u8]) -> Pickle {
    Pickle::parse_checkpoint(bytes).unwrap()
}

fn fault(bytes: &[u8]) -> PickleError {
    Pickle::parse_checkpoint(bytes).unwrap_err()
}

fn children(pickle: &Pickle, place: Place) -> &[Place] {
    match pickle.node(place) {
        Node::List(places) => places,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_call_is_written_down_in_every_way_to_write_it() {
    for bytes in [
        b"ca.b\nC\n(K\x07tR.".as_slice(),
        b"\x8c\x03a.b\x8c\x01C\x93K\x07\x85R.",
        b"ca.b\nC\nK\x07\x85\x81.",
        b"ca.b\nC\nK\x07\x85}\x92.",
        b"(K\x07ia.b\nC\n.",
        b"(ca.b\nC\nK\x07o.",
    ] {
        let pickle = checkpoint(bytes);

        let &Node::Call { callee, arguments } = pickle.node(pickle.root()) else {
            panic!("{pickle:?}")
        };
        assert_eq!(*pickle.node(callee), Node::Global("a.b.C".into()));
        let [argument] = *children(&pickle, arguments) else {
            panic!("{pickle:?}")
        };
        assert_eq!(*pickle.node(argument), Node::Int(7));
    }
}

#[test]
fn ordered_dicts_are_dicts() {
    // An empty one that is filled and given a state, and one made from pairs.
    let filled = b"ccollections\nOrderedDict\n)RX\x01\x00\x00\x00aK\x01s}b.";
    let from_pairs = b"ccollections\nOrderedDict\n(](](U\x01aK\x01eetR.";

    for bytes in [filled.as_slice(), from_pairs] {
        assert_eq!(
            checkpoint(bytes).to_json().unwrap().to_string(),
            r#"{"a":1}"#
        );
    }
}

#[test]
fn what_is_put_into_an_object_is_not_kept() {
    let pickle = checkpoint(b"cx\nY\n)R(K\x01K\x02eK\x03aK\x04K\x05s}b.");

    assert!(matches!(pickle.node(pickle.root()), Node::Call { .. }));
}

#[test]
fn a_module_of_a_script_is_its_state() {
    let pickle = checkpoint(b"c__torch__.model\nCLIP\n)\x81}X\x01\x00\x00\x00aK\x07sb.");

    let Node::Dict(pairs) = pickle.node(pickle.root()) else {
        panic!("{pickle:?}")
    };
    assert_eq!(*pickle.node(pairs[0].1), Node::Int(7));
}

#[test]
fn a_reference_and_a_long_number_are_written_down() {
    let pickle = checkpoint(b"](X\x01\x00\x00\x00kQ\x8a\x09123456789L99999999999999999999L\ne.");

    let &[reference, binary, decimal] = children(&pickle, pickle.root()) else {
        panic!("{pickle:?}")
    };
    let Node::Persistent(name) = *pickle.node(reference) else {
        panic!("{pickle:?}")
    };
    assert_eq!(*pickle.node(name), Node::Text("k".into()));
    assert_eq!(*pickle.node(binary), Node::LongInt);
    assert_eq!(*pickle.node(decimal), Node::LongInt);
    assert!(pickle.to_json().is_err());
}

#[test]
fn the_length_ends_with_the_pickle() {
    assert_eq!(checkpoint(b"\x80\x02K\x01.what follows").length(), 5);
}

#[test]
fn what_no_checkpoint_needs_is_refused_by_name() {
    for (bytes, name) in [
        (b"\x82\x01.".as_slice(), "EXT1"),
        (b"\x83\x01\x00.", "EXT2"),
        (b"\x84\x01\x00\x00\x00.", "EXT4"),
        (b"Pid\n.", "PERSID"),
        (b"\x97.", "NEXT_BUFFER"),
        (b"]\x98.", "READONLY_BUFFER"),
    ] {
        let error = fault(bytes);

        assert!(
            matches!(error.fault, PickleFault::Refused { name: found, .. } if found == name),
            "{error}"
        );
    }
    assert_eq!(
        fault(b"\xf1.").fault,
        PickleFault::UnknownOpcode { code: 0xf1 }
    );
}

#[test]
fn names_that_run_code_are_refused_even_without_a_call() {
    for (bytes, name) in [
        (b"cos\nsystem\n.".as_slice(), "os.system"),
        (b"cposix\nsystem\n.", "posix.system"),
        (b"\x8c\x08builtins\x8c\x04exec\x93.", "builtins.exec"),
        (b"c__builtin__\neval\n.", "__builtin__.eval"),
        (b"(K\x01isubprocess\nPopen\n.", "subprocess.Popen"),
        (b"cimportlib.util\nfind_spec\n.", "importlib.util.find_spec"),
    ] {
        let wanted = PickleFault::RunsCode { name: name.into() };

        assert_eq!(fault(bytes).fault, wanted);
    }
    checkpoint(b"c__builtin__\nset\n.");
}

#[test]
fn instructions_that_find_too_little_are_errors() {
    for bytes in [
        b"R.".as_slice(),
        b"]R.",
        b"(]R.",
        b"b.",
        b"]b.",
        b"Q.",
        b"\x93.",
        b"K\x01K\x02\x93.",
        b"(o.",
        b"o.",
        b"]\x92.",
        b"ix\ny\n.",
    ] {
        assert!(
            matches!(fault(bytes).fault, PickleFault::Stack { .. }),
            "{bytes:?}"
        );
    }
    assert_eq!(fault(b"cx\n").fault, PickleFault::Truncated);
    assert_eq!(fault(b"c\xff\ny\n.").fault, PickleFault::Text);
}

#[test]
fn calls_of_calls_without_end_are_dropped_without_harm() {
    let mut bytes = b"cx\ny\n".to_vec();
    bytes.extend(b")R".repeat(500_000));
    bytes.push(b'.');

    let pickle = checkpoint(&bytes);

    assert_eq!(pickle.nodes().count(), 1_000_001);
}

#[test]
fn remembered_values_that_are_made_again_and_again_are_refused() {
    // 3,000 pairs, made a dict 6,000 times: five bytes each.
    let mut dicts = b"ccollections\nOrderedDict\nq\x00](".to_vec();
    dicts.extend(b"](K\x01K\x02e".repeat(3_000));
    dicts.extend(b"e\x85q\x01");
    dicts.extend(b"h\x00h\x01R".repeat(6_000));
    dicts.push(b'.');
    // A name made of one text, 2,000 times.
    let names = |letters| {
        let text = format!("V{}\nq\x00", "n".repeat(letters)).into_bytes();
        [text, b"h\x00h\x00\x93".repeat(2_000), b".".to_vec()].concat()
    };
    let long = format!("c{}\nx\n.", "n".repeat(600));

    assert!(matches!(
        fault(&dicts).fault,
        PickleFault::TooManyValues { .. }
    ));
    assert!(matches!(
        fault(&names(200)).fault,
        PickleFault::TooFar { .. }
    ));
    assert_eq!(fault(&names(300)).fault, PickleFault::Text);
    assert_eq!(fault(long.as_bytes()).fault, PickleFault::Text);
}

#[test]
fn no_bytes_make_more_than_an_error() {
    let mut random = ChaCha8Rng::seed_from_u64(11);
    let codes = b"(.0123FIJKLMNPQRSTUVXabcdegijlopqrstu}])\x80\x81\x85\x86\x8a\x8c\x93\x94\x92h";
    for _ in 0..20_000 {
        let length = random.random_range(1..40);
        let bytes: Vec<u8> = (0..length)
            .map(|_| match random.random_range(0..4) {
                0 => random.random(),
                1 => random.random_range(0..4),
                _ => codes[random.random_range(0..codes.len())],
            })
            .collect();
        if let Ok(pickle) = Pickle::parse_checkpoint(&bytes) {
            assert!(pickle.nodes().count() <= bytes.len());
            let _json = pickle.to_json();
        }
    }
}
