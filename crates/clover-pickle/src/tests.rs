use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::json;

use super::*;

/// One value as Python writes it in protocols 0 and 2 (3 differs in its number alone) and 4.
const WRITTEN: [&[u8]; 4] = [
    b"(lp0\n(dp1\nVfilename\np2\nVa.mp4\np3\nsVtext\np4\nVcaf\xe9 \\u005c \\u4e2d\np5\nsVn\np6\n\
      (lp7\nI1\naI-2\naI70000\naL1099511627776L\naL-9223372036854775808L\naF2.5\naNaI01\naI00\n\
      a(ta(I1\ntp8\na(I1\nI2\nI3\nI4\ntp9\nasa.",
    b"]q\x00}q\x01(X\x08\x00\x00\x00filenameq\x02X\x05\x00\x00\x00a.mp4q\x03X\x04\x00\x00\x00textq\
      \x04X\x0b\x00\x00\x00caf\xc3\xa9 \\ \xe4\xb8\xadq\x05X\x01\x00\x00\x00nq\x06]q\x07(K\x01J\xfe\
      \xff\xff\xffJp\x11\x01\x00L1099511627776L\nL-9223372036854775808L\nG@\x04\x00\x00\x00\x00\x00\
      \x00NI01\nI00\n)(K\x01tq\x08(K\x01K\x02K\x03K\x04tq\teua.",
    b"\x80\x02]q\x00}q\x01(X\x08\x00\x00\x00filenameq\x02X\x05\x00\x00\x00a.mp4q\x03X\x04\x00\x00\
      \x00textq\x04X\x0b\x00\x00\x00caf\xc3\xa9 \\ \xe4\xb8\xadq\x05X\x01\x00\x00\x00nq\x06]q\x07(K\
      \x01J\xfe\xff\xff\xffJp\x11\x01\x00\x8a\x06\x00\x00\x00\x00\x00\x01\x8a\x08\x00\x00\x00\x00\
      \x00\x00\x00\x80G@\x04\x00\x00\x00\x00\x00\x00N\x88\x89)K\x01\x85q\x08(K\x01K\x02K\x03K\x04tq\
      \teua.",
    b"\x80\x05\x95r\x00\x00\x00\x00\x00\x00\x00]\x94}\x94(\x8c\x08filename\x94\x8c\x05a.mp4\x94\x8c\
      \x04text\x94\x8c\x0bcaf\xc3\xa9 \\ \xe4\xb8\xad\x94\x8c\x01n\x94]\x94(K\x01J\xfe\xff\xff\xffJp\
      \x11\x01\x00\x8a\x06\x00\x00\x00\x00\x00\x01\x8a\x08\x00\x00\x00\x00\x00\x00\x00\x80G@\x04\x00\
      \x00\x00\x00\x00\x00N\x88\x89)K\x01\x85\x94(K\x01K\x02K\x03K\x04t\x94eua.",
];

fn fault(bytes: &[u8]) -> PickleError {
    Pickle::parse(bytes).unwrap_err()
}

fn json(bytes: &[u8]) -> serde_json::Value {
    Pickle::parse(bytes).unwrap().to_json().unwrap()
}

#[test]
fn all_protocols_say_the_same() {
    let numbers = json!([
        1,
        -2,
        70_000,
        1_i64 << 40,
        i64::MIN,
        2.5,
        null,
        true,
        false,
        [],
        [1],
        [1, 2, 3, 4]
    ]);
    let wanted = json!([{"filename": "a.mp4", "text": "café \\ 中", "n": numbers}]);

    for bytes in WRITTEN {
        assert_eq!(json(bytes), wanted);
    }
}

#[test]
fn sets_bytes_and_old_texts_are_plain() {
    let sets = b"\x80\x05](\x8f(K\x01\x90(K\x02\x91C\x01x\x96\x01\x00\x00\x00\x00\x00\x00\x00ye.";

    assert_eq!(json(sets), json!([[1], [2], "x", "y"]));
    assert_eq!(
        json(b"(lS'a\\'b\\x41\\n'\naU\x02cdaT\x01\x00\x00\x00ea."),
        json!(["a'bA\n", "cd", "e"])
    );
    // A doubled top, a dropped value, and values dropped down to a mark.
    assert_eq!(json(b"](K\x01K\x022K\x030(K\x041e."), json!([1, 2, 2]));
}

#[test]
fn code_is_refused_by_name_and_place() {
    for (bytes, name, offset) in [
        (b"\x80\x02cos\nsystem\n.".as_slice(), "GLOBAL", 2),
        (b"\x80\x04\x8c\x02os\x8c\x06system\x93.", "STACK_GLOBAL", 14),
        (b"]]R.", "REDUCE", 2),
        (b"]]b.", "BUILD", 2),
        (b"(ios\nsystem\n.", "INST", 1),
        (b"(]o.", "OBJ", 2),
        (b"]]\x81.", "NEWOBJ", 2),
        (b"]]]\x92.", "NEWOBJ_EX", 3),
        (b"\x82\x01.", "EXT1", 0),
        (b"\x83\x01\x00.", "EXT2", 0),
        (b"\x84\x01\x00\x00\x00.", "EXT4", 0),
        (b"Pid\n.", "PERSID", 0),
        (b"]Q.", "BINPERSID", 1),
        (b"\x97.", "NEXT_BUFFER", 0),
    ] {
        let error = fault(bytes);

        assert!(matches!(error.fault, PickleFault::Refused { name: found, .. } if found == name));
        assert_eq!(error.offset, offset, "{name}");
    }
}

#[test]
fn broken_pickles_say_what_is_wrong() {
    assert_eq!(fault(b"").fault, PickleFault::Truncated);
    assert_eq!(fault(b"]").fault, PickleFault::Truncated);
    assert_eq!(fault(b".").fault, PickleFault::Stack { code: b'.' });
    assert_eq!(fault(b"(.").fault, PickleFault::Stack { code: b'.' });
    assert_eq!(
        fault(b"\xff").fault,
        PickleFault::UnknownOpcode { code: 0xff }
    );
    assert_eq!(
        fault(b"\x80\x06]").fault,
        PickleFault::Protocol { found: 6 }
    );
    assert_eq!(fault(b"h\x07.").fault, PickleFault::Memo { index: 7 });
    assert_eq!(
        fault(b"K\x01K\x02a.").fault,
        PickleFault::Stack { code: b'a' }
    );
    assert_eq!(fault(b"(K\x01d.").fault, PickleFault::Stack { code: b'd' });
    assert_eq!(
        fault(b"L99999999999999999999L\n.").fault,
        PickleFault::IntegerTooLarge
    );
    assert_eq!(
        fault(b"\x8a\x09123456789.").fault,
        PickleFault::IntegerTooLarge
    );
    assert_eq!(fault(b"X\xff\xff\xff\xffab.").fault, PickleFault::Truncated);
    assert_eq!(
        fault(b"\x8d\xff\xff\xff\xff\xff\xff\xff\xffab.").fault,
        PickleFault::Truncated
    );
    assert_eq!(fault(b"X\x01\x00\x00\x00\xff.").fault, PickleFault::Text);
    assert_eq!(fault(b"V\\ud800\n.").fault, PickleFault::Text);
}

#[test]
fn a_list_that_contains_itself_is_an_error_when_written_out() {
    let pickle = Pickle::parse(b"\x80\x02]q\x00h\x00a.").unwrap();

    let error = pickle.to_json().unwrap_err();

    assert!(matches!(error.fault, PickleFault::TooDeep { .. }));
}

#[test]
fn shared_values_do_not_explode() {
    // Each list holds the one before it ten times: ten to the power of twelve values.
    let mut bytes = b"]q\x00".to_vec();
    for level in 0..12_u8 {
        bytes.extend_from_slice(b"](");
        bytes.extend([b'h', level].repeat(10));
        bytes.extend_from_slice(&[b'e', b'q', level + 1]);
    }
    bytes.push(b'.');
    let pickle = Pickle::parse(&bytes).unwrap();

    let error = pickle.to_json().unwrap_err();

    assert!(matches!(error.fault, PickleFault::TooFar { .. }));
}

#[test]
fn a_million_lists_in_each_other_are_dropped_without_harm() {
    let mut bytes = b"]".repeat(1_000_000);
    bytes.extend(b"a".repeat(999_999));
    bytes.push(b'.');

    let pickle = Pickle::parse(&bytes).unwrap();

    assert!(matches!(
        pickle.to_json().unwrap_err().fault,
        PickleFault::TooDeep { .. }
    ));
}

#[test]
fn truncated_and_flipped_pickles_never_panic() {
    let mut random = ChaCha8Rng::seed_from_u64(5);
    for bytes in WRITTEN {
        for length in 0..bytes.len() {
            assert!(Pickle::parse(&bytes[..length]).is_err());
        }
        for _ in 0..2_000 {
            let mut flipped = bytes.to_vec();
            let place = random.random_range(0..flipped.len());
            flipped[place] = random.random();
            let _outcome = Pickle::parse(&flipped).and_then(|pickle| pickle.to_json());
        }
    }
}
