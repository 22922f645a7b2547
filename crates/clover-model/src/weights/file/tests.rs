use burn::tensor::{BoolStore, DType, bf16, f16};

use super::sample::*;
use super::*;

/// `matrix` (2 x 3) and `scalar`, the values of both.
const MATRIX: [f32; 6] = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];

fn checkpoint() -> Vec<u8> {
    let matrix = view(storage("FloatStorage", "0", 6), 0, &[2, 3], &[3, 1]);
    let scalar = view(storage("FloatStorage", "1", 1), 0, &[], &[]);
    dict(&[("matrix", matrix), ("scalar", scalar)])
}

fn in_safetensors() -> Vec<u8> {
    let header = r#"{"__metadata__":{"format":"pt"},
        "matrix":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},
        "scalar":{"dtype":"F32","shape":[],"data_offsets":[24,28]}}"#;
    safetensors(header, &floats(&[&MATRIX[..], &[7.0]].concat()))
}

fn assert_holds_both(file: &WeightFile) {
    let facts: Vec<_> = file
        .entries()
        .iter()
        .map(|entry| (&*entry.name, &*entry.shape, entry.dtype))
        .collect();
    let expected: [(&str, &[usize], DType); 2] =
        [("matrix", &[2, 3], DType::F32), ("scalar", &[], DType::F32)];
    assert_eq!(facts, expected);
    assert_eq!(values(file, "matrix"), MATRIX);
    assert_eq!(values(file, "scalar"), [7.0]);
}

#[test]
fn every_form_gives_the_same_tensors() {
    let storages = [("0", floats(&MATRIX)), ("1", floats(&[7.0]))];
    let [first, second] = storages.clone();
    let counted = [(first.0, 6, first.1), (second.0, 1, second.1)];

    for bytes in [
        archive(&checkpoint(), &storages),
        legacy(&checkpoint(), &counted),
        in_safetensors(),
    ] {
        assert_holds_both(&open(bytes).unwrap());
    }
}

#[test]
fn shards_and_folders_are_found_by_their_index() {
    let folder = Folder::new();
    let one = |name: &str, shape: &str, values: &[f32]| {
        let end = 4 * values.len();
        let header =
            format!(r#"{{"{name}":{{"dtype":"F32","shape":{shape},"data_offsets":[0,{end}]}}}}"#);
        safetensors(&header, &floats(values))
    };
    folder.write("a.safetensors", one("matrix", "[2,3]", &MATRIX));
    folder.write("b.safetensors", one("scalar", "[]", &[7.0]));
    let index = r#"{"metadata":{"total_size":28},
        "weight_map":{"scalar":"b.safetensors","matrix":"a.safetensors"}}"#;
    let path = folder.write("model.safetensors.index.json", index);

    let by_index = WeightFile::open(&path).unwrap();
    let by_folder = WeightFile::open(path.parent().unwrap()).unwrap();

    assert_holds_both(&by_index);
    assert_holds_both(&by_folder);
    assert_eq!(by_folder.path(), path);
    assert_eq!(by_folder.files().count(), 2);
}

#[test]
fn views_follow_their_offsets_and_strides() {
    let shared = || storage("FloatStorage", "0", 6);
    let value = dict(&[
        ("transposed", view(shared(), 0, &[3, 2], &[1, 3])),
        ("corner", view(shared(), 1, &[2, 2], &[3, 1])),
        ("last", view(shared(), 5, &[1, 1], &[9, 9])),
        ("empty", view(shared(), 6, &[0, 3], &[3, 1])),
    ]);

    let file = open(archive(&value, &[("0", floats(&MATRIX))])).unwrap();

    assert_eq!(values(&file, "transposed"), [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
    assert_eq!(values(&file, "corner"), [2.0, 3.0, 5.0, 6.0]);
    assert_eq!(values(&file, "last"), [6.0]);
    assert_eq!(values(&file, "empty"), [0.0; 0]);
    assert_eq!(&*file.data("transposed").unwrap().shape, [3, 2]);
}

#[test]
fn all_float_types_become_32_bit_floats() {
    let halves = [f16::from_f32(1.5), f16::from_f32(-65504.0)];
    let brains = [bf16::from_f32(3.0e38), bf16::from_f32(-0.5)];
    let storages = [
        ("h", halves.iter().flat_map(|v| v.to_le_bytes()).collect()),
        ("b", brains.iter().flat_map(|v| v.to_le_bytes()).collect()),
        ("d", [0.1_f64, -2.0].map(f64::to_le_bytes).concat()),
    ];
    let two = |class, key| view(storage(class, key, 2), 0, &[2], &[1]);
    let value = dict(&[
        ("half", two("HalfStorage", "h")),
        ("brain", two("BFloat16Storage", "b")),
        ("double", two("DoubleStorage", "d")),
    ]);

    let file = open(archive(&value, &storages)).unwrap();

    assert_eq!(values(&file, "half"), [1.5, -65504.0]);
    assert_eq!(values(&file, "brain"), brains.map(bf16::to_f32));
    assert_eq!(values(&file, "double"), [0.1_f32, -2.0]);
    let types: Vec<_> = file.entries().iter().map(|entry| entry.dtype).collect();
    assert_eq!(types, [DType::F16, DType::BF16, DType::F64]);
}

#[test]
fn integers_are_listed_and_refused_as_floats_by_name() {
    let index = view(storage("LongStorage", "0", 2), 0, &[2], &[1]);
    let mask = view(storage("BoolStorage", "1", 1), 0, &[1], &[1]);
    let value = dict(&[("position_ids", index), ("mask", mask)]);

    let file = open(archive(&value, &[("0", vec![0; 16]), ("1", vec![1])])).unwrap();

    assert_eq!(file.entries()[0].dtype, DType::I64);
    assert_eq!(file.entries()[1].dtype, DType::Bool(BoolStore::Native));
    let message = message(&file.data("position_ids").unwrap_err());
    assert!(
        message.contains("`position_ids` is stored as i64"),
        "{message}"
    );
}

#[test]
fn types_beyond_ours_are_named_and_the_rest_is_read() {
    let complex = view(storage("ComplexFloatStorage", "0", 1), 0, &[1], &[1]);
    let sparse = call(global("torch._utils", "_rebuild_sparse_tensor"), &[]);
    let plain = view(storage("FloatStorage", "1", 1), 0, &[1], &[1]);
    let value = dict(&[("complex", complex), ("sparse", sparse), ("plain", plain)]);

    let file = open(archive(&value, &[("0", vec![0; 8]), ("1", floats(&[2.0]))])).unwrap();

    assert_eq!(values(&file, "plain"), [2.0]);
    let names: Vec<_> = file
        .unreadable()
        .iter()
        .map(|tensor| &*tensor.name)
        .collect();
    assert_eq!(names, ["complex", "sparse"]);
    let message = message(&file.data("complex").unwrap_err());
    assert!(message.contains("torch.ComplexFloatStorage"), "{message}");
}

#[test]
fn nested_names_are_joined_and_other_objects_are_never_made() {
    let weight = || view(storage("FloatStorage", "0", 2), 0, &[2], &[1]);
    let parameter = [weight(), b"\x88".to_vec(), b"N".to_vec()];
    let parameter = call(global("torch._utils", "_rebuild_parameter"), &parameter);
    let ordered = [
        call(global("collections", "OrderedDict"), &[]),
        [b"(", &text("weight")[..], &parameter, b"u"].concat(),
        dict(&[("_metadata", b"N".to_vec())]),
        b"b".to_vec(),
    ]
    .concat();
    let moments = [b"}", &int(0)[..], &dict(&[("exp_avg", weight())]), b"s"].concat();
    // An object with a state, as protocol 2 makes it.
    let arguments = [
        global("argparse", "Namespace"),
        b")\x81}".to_vec(),
        b"b".to_vec(),
    ]
    .concat();
    let scalar = call(global("numpy.core.multiarray", "scalar"), &[text("x")]);
    let value = dict(&[
        ("state_dict", ordered),
        ("optimizer", dict(&[("state", moments)])),
        ("meta", dict(&[("arguments", arguments), ("best", scalar)])),
        ("models", [b"](", &weight()[..], &weight(), b"e"].concat()),
    ]);

    let file = open(archive(&value, &[("0", floats(&[1.0, 2.0]))])).unwrap();

    let names: Vec<_> = file.entries().iter().map(|entry| &*entry.name).collect();
    let expected = [
        "state_dict.weight",
        "optimizer.state.0.exp_avg",
        "models.0",
        "models.1",
    ];
    assert_eq!(names, expected);
    let others: Vec<_> = file.other_objects().collect();
    assert_eq!(
        others,
        ["argparse.Namespace", "numpy.core.multiarray.scalar"]
    );
}

#[test]
fn tensors_of_newer_forms_are_read() {
    let untyped = || {
        let name = [
            text("storage"),
            global("torch.storage", "UntypedStorage"),
            text("0"),
            text("cpu"),
            int(8),
        ];
        [tuple(&name), b"Q".to_vec()].concat()
    };
    let third = [
        untyped(),
        int(1),
        tuple(&[int(1)]),
        tuple(&[int(1)]),
        b"\x89".to_vec(),
        b"}".to_vec(),
        global("torch", "float32"),
    ];
    let third = call(global("torch._utils", "_rebuild_tensor_v3"), &third);
    let arguments = [
        storage("FloatStorage", "1", 1),
        int(0),
        tuple(&[]),
        tuple(&[]),
        b"\x89".to_vec(),
        b"}".to_vec(),
    ];
    let subclass = [
        global("torch._utils", "_rebuild_tensor_v2"),
        global("somewhere", "Special"),
        tuple(&arguments),
        b"}".to_vec(),
    ];
    let subclass = call(global("torch._tensor", "_rebuild_from_type_v2"), &subclass);
    let value = dict(&[("third", third), ("subclass", subclass)]);

    let storages = [("0", floats(&[1.0, 2.0])), ("1", floats(&[3.0]))];
    let file = open(archive(&value, &storages)).unwrap();

    assert_eq!(values(&file, "third"), [2.0]);
    assert_eq!(values(&file, "subclass"), [3.0]);
}

#[test]
fn a_checksum_that_was_left_out_is_not_missed() {
    let entries = [
        Entry {
            checksum: 0,
            ..Entry::new("x/data.pkl", pickle(&checkpoint()))
        },
        Entry {
            checksum: 0,
            ..Entry::new("x/data/0", floats(&MATRIX))
        },
        Entry::new("x/data/1", floats(&[7.0])),
    ];

    assert_holds_both(&open(zip(&entries)).unwrap());
}
