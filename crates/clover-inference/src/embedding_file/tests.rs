use super::*;
use safetensors::{Dtype, SafeTensors};
use std::fs;

const ROWS: [(&str, [f32; 3]); 3] = [
    ("a red circle", [0.6, -0.8, 0.0]),
    ("clips/a\nb.mp4", [0.1234567, 0.7654321, -0.631]),
    ("c", [1.0, 0.0, 1e-6]),
];

fn write(path: &Path, precision: EmbeddingPrecision) {
    let mut file = EmbeddingFile::create(path, precision).unwrap();
    for (name, row) in &ROWS {
        file.push(name, row).unwrap();
    }
    assert_eq!(file.rows(), 3);
    file.finish().unwrap();
}

/// What NumPy's reader takes from a file: kind, shape and the bytes of the values.
fn read_npy(path: &Path) -> (String, [usize; 2], Vec<u8>) {
    let bytes = fs::read(path).unwrap();
    assert_eq!(&bytes[..8], b"\x93NUMPY\x01\x00");
    let length = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    assert_eq!((10 + length) % 64, 0);
    let header = std::str::from_utf8(&bytes[10..10 + length]).unwrap();
    assert!(header.ends_with(" \n"), "{header}");
    let after = |key: &str, end: char| {
        let start = header.find(key).unwrap() + key.len();
        let value = &header[start..];
        value[..value.find(end).unwrap()].to_owned()
    };
    assert_eq!(after("'fortran_order': ", ','), "False");
    let shape = after("'shape': (", ')');
    let mut shape = shape.split(", ").map(|number| number.parse().unwrap());
    let shape = [shape.next().unwrap(), shape.next().unwrap()];
    let values = bytes[10 + length..].to_vec();
    (after("'descr': '", '\''), shape, values)
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    let each = bytes.chunks_exact(4);
    each.map(|four| f32::from_le_bytes(four.try_into().unwrap()))
        .collect()
}

fn halves(bytes: &[u8]) -> Vec<f32> {
    let each = bytes.chunks_exact(2);
    each.map(|two| f16::from_le_bytes(two.try_into().unwrap()).to_f32())
        .collect()
}

fn expected() -> Vec<f32> {
    ROWS.iter().flat_map(|(_, row)| *row).collect()
}

fn are_near(found: &[f32]) -> bool {
    let expected = expected();
    let mut each = found.iter().zip(&expected);
    found.len() == expected.len() && each.all(|(a, b)| (a - b).abs() < 1e-3)
}

#[test]
fn an_npy_file_has_its_shape_and_the_exact_rows_and_names_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.npy");

    write(&path, EmbeddingPrecision::F32);

    let (kind, shape, bytes) = read_npy(&path);
    assert_eq!((kind.as_str(), shape), ("<f4", [3, 3]));
    assert_eq!(floats(&bytes), expected());
    let names = fs::read_to_string(folder.path().join("out.names.txt")).unwrap();
    assert_eq!(names, "a red circle\nclips/a b.mp4\nc\n");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
}

#[test]
fn half_precision_is_near() {
    let folder = tempfile::tempdir().unwrap();
    let [npy, tensors, lines] =
        ["a.npy", "a.safetensors", "a.jsonl"].map(|name| folder.path().join(name));
    for path in [&npy, &tensors, &lines] {
        write(path, EmbeddingPrecision::F16);
    }

    let (kind, shape, bytes) = read_npy(&npy);
    assert_eq!((kind.as_str(), shape), ("<f2", [3, 3]));
    assert!(are_near(&halves(&bytes)));
    let bytes = fs::read(tensors).unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let tensor = tensors.tensor("embeddings").unwrap();
    assert_eq!((tensor.dtype(), tensor.shape()), (Dtype::F16, &[3, 3][..]));
    assert!(are_near(&halves(tensor.data())));
    let first = fs::read_to_string(lines).unwrap();
    let first: serde_json::Value = serde_json::from_str(first.lines().next().unwrap()).unwrap();
    let value = first["embedding"][0].as_f64().unwrap();
    assert!((value - 0.6).abs() < 1e-3 && (value - 0.6).abs() > 1e-6);
}

#[test]
fn a_safetensors_file_is_read_by_the_formats_own_crate() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.safetensors");

    write(&path, EmbeddingPrecision::F32);

    let bytes = fs::read(path).unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let tensor = tensors.tensor("embeddings").unwrap();
    assert_eq!((tensor.dtype(), tensor.shape()), (Dtype::F32, &[3, 3][..]));
    assert_eq!(floats(tensor.data()), expected());
}

#[test]
fn a_line_of_json_has_name_and_values() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.jsonl");

    write(&path, EmbeddingPrecision::F32);

    let text = fs::read_to_string(&path).unwrap();
    let lines: Vec<serde_json::Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(
        (lines.len(), &lines[1]["name"]),
        (3, &"clips/a\nb.mp4".into())
    );
    let values = lines
        .iter()
        .flat_map(|line| line["embedding"].as_array().unwrap());
    let values: Vec<f32> = values.map(|value| value.as_f64().unwrap() as f32).collect();
    assert_eq!(values, expected());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn what_is_not_finished_or_empty_leaves_what_was_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.npy");
    write(&path, EmbeddingPrecision::F32);
    let before = fs::read(&path).unwrap();

    let mut dropped = EmbeddingFile::create(&path, EmbeddingPrecision::F32).unwrap();
    dropped.push("other", &[1.0]).unwrap();
    drop(dropped);
    let empty = EmbeddingFile::create(&path, EmbeddingPrecision::F32).unwrap();
    let error = empty.finish().unwrap_err().to_string();

    assert!(error.contains("out.npy"), "{error}");
    assert_eq!(fs::read(&path).unwrap(), before);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
}

#[test]
fn other_extensions_and_folders_that_are_not_there_are_refused_by_name() {
    let error = |path: &str| {
        let found = EmbeddingFile::create(Path::new(path), EmbeddingPrecision::F16);
        found.unwrap_err().to_string()
    };

    assert!(error("rows.csv").contains("rows.csv: embeddings are written as .npy"));
    assert!(error("rows").contains("rows: "));
    assert!(error("/no/such/folder/rows.npy").contains("/no/such/folder/rows.npy"));
}
