use super::*;
use std::fs;

const COMMIT: &str = "0123456789012345678901234567890123456789";

/// A cache with these files of `owner/name`.
fn cache(files: &[(&str, &str)]) -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let repo = Repo::model("owner/name".to_owned());
    let cache = Cache::new(folder.path().to_owned());
    let snapshot = cache.repo(repo.clone()).pointer_path(COMMIT);
    fs::create_dir_all(&snapshot).unwrap();
    for (name, text) in files {
        fs::write(snapshot.join(name), text).unwrap();
    }
    cache.repo(repo.clone()).create_ref(COMMIT).unwrap();
    (folder, Store::Cache(cache, repo))
}

#[test]
fn offline_the_cache_is_all_there_is() {
    let (_folder, store) = cache(&[("pytorch_model.bin", ""), ("vocab.txt", "")]);

    let usual = fetch_from(&store, &[]).unwrap();
    let vocabulary = fetch_from(&store, &["vocab.txt".to_owned()]).unwrap();
    let missing = fetch_from(&store, &["config.json".to_owned()]).unwrap_err();

    // The weights first, then what an import reads beside them.
    assert!(usual[0].ends_with("pytorch_model.bin") && usual[1].ends_with("vocab.txt"));
    assert_eq!(usual.len(), 2);
    assert!(vocabulary[0].ends_with("vocab.txt"));
    let missing = missing.to_string();
    assert!(missing.contains("owner/name@main/config.json"), "{missing}");
    assert!(missing.contains("--offline"), "{missing}");
}

#[test]
fn a_commit_is_found_without_a_branch() {
    let (_folder, store) = cache(&[("model.safetensors", "")]);
    let Store::Cache(cache, _) = store else {
        panic!("not a cache")
    };
    let (name, commit) = ("owner/name".to_owned(), COMMIT.to_owned());
    let repo = Repo::with_revision(name, RepoType::Model, commit);

    assert!(cached(&cache, &repo, "model.safetensors").is_some());
}

#[test]
fn an_index_brings_its_shards_and_none_from_elsewhere() {
    let index = r#"{"weight_map":{"a":"1.safetensors","b":"1.safetensors"}}"#;
    let (_folder, whole) = cache(&[(INDEX_OF_SAFETENSORS, index), ("1.safetensors", "")]);
    let (_folder, lacking) = cache(&[(INDEX_OF_SAFETENSORS, index)]);
    let outside = r#"{"weight_map":{"a":"../../x"}}"#;
    let (_folder, hostile) = cache(&[(INDEX_OF_SAFETENSORS, outside)]);

    assert_eq!(fetch_from(&whole, &[]).unwrap().len(), 2);
    let lacking = fetch_from(&lacking, &[]).unwrap_err().to_string();
    assert!(lacking.contains("1.safetensors"), "{lacking}");
    let hostile = fetch_from(&hostile, &[]).unwrap_err().to_string();
    assert!(hostile.contains("no file beside it"), "{hostile}");
}

#[test]
fn the_usual_name_is_preferred_and_a_choice_is_left_to_the_user() {
    let files = |names: &[&str]| {
        names
            .iter()
            .map(|&name| name.to_owned())
            .collect::<Vec<_>>()
    };

    let both = choose(&files(&["pytorch_model.bin", "model.safetensors"]));
    let one = choose(&files(&["README.md", "swin.pth"]));
    let open_clip = choose(&files(&[
        "open_clip_pytorch_model.bin",
        "open_clip_model.safetensors",
    ]));
    let several = choose(&files(&["a.pth", "b.pth"])).unwrap_err().to_string();
    let none = choose(&files(&["README.md"])).unwrap_err().to_string();

    assert_eq!(both.unwrap(), "model.safetensors");
    assert_eq!(one.unwrap(), "swin.pth");
    assert_eq!(open_clip.unwrap(), "open_clip_model.safetensors");
    assert!(
        several.contains("a.pth") && several.contains("--file"),
        "{several}"
    );
    assert!(none.contains("no weights"), "{none}");
}

#[test]
fn names_that_lead_elsewhere_are_refused() {
    for name in ["owner/name", "bert-base-uncased", "a_b/c.d-1"] {
        assert!(is_repository(name), "{name}");
    }
    for name in ["", "a/b/c", "../x", "a/..", "https://x/y", "a b"] {
        assert!(!is_repository(name), "{name}");
    }
    assert!(stays_inside("onnx/model.bin") && stays_inside("refs/pr/1"));
    for path in ["", "../x", "/etc/passwd", "a/../../b", "a\\b"] {
        assert!(!stays_inside(path), "{path}");
    }
}
