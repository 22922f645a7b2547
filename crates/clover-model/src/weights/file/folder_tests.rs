use super::sample::*;
use super::*;

#[test]
fn a_folder_without_weights_or_with_too_many_is_refused() {
    let folder = Folder::new();
    folder.write("config.json", "{}");
    let path = folder.path("");
    let none = message(&WeightFile::open(&path).unwrap_err());
    folder.write("a.pth", "");
    folder.write("b.safetensors", "");
    let several = message(&WeightFile::open(&path).unwrap_err());
    let missing = message(&WeightFile::open(&folder.path("c.pth")).unwrap_err());

    assert!(none.contains("model.safetensors.index.json"), "{none}");
    assert!(several.contains("a.pth, b.safetensors"), "{several}");
    assert!(missing.contains("c.pth: cannot read weights"), "{missing}");
}

#[test]
fn a_device_is_no_file() {
    let error = WeightFile::open("/dev/zero".as_ref()).unwrap_err();

    assert!(message(&error).contains("no ordinary file"));
}

#[test]
fn an_index_stays_in_its_folder_and_keeps_its_word() {
    let header = r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#;
    let refused = |map: &str| {
        let folder = Folder::new();
        folder.write("a.safetensors", safetensors(header, &[0; 4]));
        folder.write("other.json", "{\"weight_map\":{}}");
        let path = folder.write("index.json", format!(r#"{{"weight_map":{map}}}"#));
        message(&WeightFile::open(&path).unwrap_err())
    };

    for outside in [
        "../a.safetensors",
        "/etc/passwd",
        "x/../../a",
        "..",
        "",
        "C:\\a",
        "a\\b",
    ] {
        let message = refused(&format!("{{\"a\":{outside:?}}}"));
        assert!(
            message.contains("no file beside it"),
            "{outside}: {message}"
        );
    }
    let message = refused(r#"{"a":"a.safetensors","b":"a.safetensors"}"#);
    assert!(message.contains("has no tensor `b`"), "{message}");
    let message = refused(r#"{"a":"a.safetensors","a":"a.safetensors"}"#);
    assert!(message.contains("two tensors are named `a`"), "{message}");
    let message = refused(r#"{"a":"gone.safetensors"}"#);
    assert!(message.contains("gone.safetensors"), "{message}");
    let message = refused(r#"{"a":"other.json"}"#);
    assert!(message.contains("other.json"), "{message}");
    let message = refused(r#"3,"weight_map":{}"#);
    assert!(message.contains("index of shards is broken"), "{message}");
    let message = refused("{}");
    assert!(message.contains("no tensors"), "{message}");
}
