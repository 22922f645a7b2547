//! Which files are meant by a folder, a file or a pattern such as `data/{00000..00123}.tar` or
//! `data/{train,more}.tar`.

use std::fs;
use std::path::{Path, PathBuf};

use super::error::ShardError;
use crate::DataError;

/// The most shards one pattern stands for.
const MAX_SHARDS: u64 = 1_000_000;

/// The shards that each of `given` stands for, in order. As WebDataset has it, `a.tar::b.tar` are both.
pub(super) fn expand(given: &[PathBuf]) -> Result<Vec<PathBuf>, DataError> {
    let mut shards = Vec::new();
    for path in given {
        match path.to_str().filter(|text| text.contains("::")) {
            Some(several) if !path.exists() => {
                for path in several.split("::").filter(|path| !path.is_empty()) {
                    expand_one(Path::new(path), &mut shards)?;
                }
            }
            _ => expand_one(path, &mut shards)?,
        }
    }
    Ok(shards)
}

fn expand_one(path: &Path, shards: &mut Vec<PathBuf>) -> Result<(), DataError> {
    if path.is_dir() {
        shards.extend(of_folder(path)?);
    } else if path.exists() {
        shards.push(path.to_path_buf());
    } else {
        shards.extend(of_pattern(path)?);
    }
    Ok(())
}

/// The shards directly in a folder, by name; hidden and unfinished files are no shards.
fn of_folder(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let unreadable = |source| DataError::Read {
        path: folder.to_path_buf(),
        source,
    };
    let mut shards = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let hidden = path
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if !hidden && path.extension().is_some_and(|extension| extension == "tar") && path.is_file()
        {
            shards.push(path);
        }
    }
    if shards.is_empty() {
        return Err(ShardError::NoShards {
            path: folder.to_path_buf(),
        }
        .into());
    }
    shards.sort();
    Ok(shards)
}

/// Every combination of the ranges and choices in a pattern, the last one varying fastest.
fn of_pattern(pattern: &Path) -> Result<Vec<PathBuf>, ShardError> {
    let Some(text) = pattern.to_str().filter(|text| text.contains('{')) else {
        return Ok(vec![pattern.to_path_buf()]);
    };
    let refused = |reason| ShardError::Pattern {
        pattern: text.chars().take(200).collect(),
        reason,
    };
    let mut names = vec![String::new()];
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let (range, after) = after
            .split_once('}')
            .ok_or_else(|| refused("opens a brace that is not closed"))?;
        let choices = choices(range).ok_or_else(|| {
            refused("has braces without a range like 00..12 or a choice like a,b")
        })?;
        if choices.len().saturating_mul(names.len() as u64) > MAX_SHARDS {
            return Err(refused("stands for more than a million shards"));
        }
        names = names
            .iter()
            .flat_map(|name| {
                choices
                    .each()
                    .map(move |choice| format!("{name}{before}{choice}"))
            })
            .collect();
        rest = after;
    }
    Ok(names
        .into_iter()
        .map(|name| PathBuf::from(name + rest))
        .collect())
}

/// What stands in braces.
enum Choices<'a> {
    Numbers { first: u64, last: u64, width: usize },
    Names(Vec<&'a str>),
}

impl Choices<'_> {
    fn len(&self) -> u64 {
        match self {
            Self::Numbers { first, last, .. } => (last - first).saturating_add(1),
            Self::Names(names) => names.len() as u64,
        }
    }

    fn each(&self) -> Box<dyn Iterator<Item = String> + '_> {
        match self {
            Self::Numbers { first, last, width } => {
                Box::new((*first..=*last).map(move |number| format!("{number:0width$}")))
            }
            Self::Names(names) => Box::new(names.iter().map(|&name| name.to_owned())),
        }
    }
}

fn choices(text: &str) -> Option<Choices<'_>> {
    if text.contains(',') {
        return Some(Choices::Names(text.split(',').collect()));
    }
    let (first, last, width) = parse_range(text)?;
    Some(Choices::Numbers { first, last, width })
}

fn parse_range(range: &str) -> Option<(u64, u64, usize)> {
    let (first, last) = range.split_once("..")?;
    // Longer numbers than these are no numbers of shards.
    let number = |digits: &str| {
        let fine = (1..=18).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
        fine.then(|| digits.parse::<u64>().ok()).flatten()
    };
    let (from, to) = (number(first)?, number(last)?);
    // As a shell has it: zeros in front ask for numbers of one width.
    let padded = [first, last]
        .iter()
        .any(|digits| digits.len() > 1 && digits.starts_with('0'));
    let width = if padded {
        first.len().max(last.len())
    } else {
        0
    };
    (from <= to).then_some((from, to, width))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(pattern: &str) -> Vec<String> {
        let shards = of_pattern(Path::new(pattern)).unwrap();
        shards
            .iter()
            .map(|path| path.display().to_string())
            .collect()
    }

    #[test]
    fn a_pattern_counts_with_zeros_in_front() {
        assert_eq!(
            expanded("a/{0008..0010}.tar"),
            ["a/0008.tar", "a/0009.tar", "a/0010.tar"]
        );
        assert_eq!(expanded("{9..10}.tar"), ["9.tar", "10.tar"]);
        assert_eq!(
            expanded("{0..1}/{2..3}.tar"),
            ["0/2.tar", "0/3.tar", "1/2.tar", "1/3.tar"]
        );
    }

    #[test]
    fn a_pattern_may_name_its_choices_and_several_may_stand_together() {
        assert_eq!(
            expanded("{a,b}/{0..1}.tar"),
            ["a/0.tar", "a/1.tar", "b/0.tar", "b/1.tar"]
        );
        let both = expand(&[PathBuf::from("x/{0..1}.tar::y/{a,}.tar")]).unwrap();
        let wanted = ["x/0.tar", "x/1.tar", "y/a.tar", "y/.tar"];
        assert_eq!(both, wanted.map(PathBuf::from));
    }

    #[test]
    fn patterns_without_an_end_are_refused() {
        for pattern in [
            "{0..",
            "{a..b}.tar",
            "{5..4}.tar",
            "{0..99999999}.tar",
            "{0..999999}{0..999999}{0..999999}.tar",
            "{0..99999999999999999999999}.tar",
        ] {
            assert!(of_pattern(Path::new(pattern)).is_err(), "{pattern}");
        }
    }

    #[test]
    fn a_folder_holds_its_tar_files_in_order() {
        let folder = tempfile::tempdir().unwrap();
        for file in [
            "b.tar",
            "a.tar",
            "a_stats.json",
            "a.parquet",
            ".c.tar",
            "d.tar.partial",
        ] {
            fs::write(folder.path().join(file), "").unwrap();
        }

        let shards = expand(&[folder.path().to_path_buf()]).unwrap();

        assert_eq!(
            shards,
            ["a.tar", "b.tar"].map(|file| folder.path().join(file))
        );
    }

    #[test]
    fn an_empty_folder_is_named() {
        let folder = tempfile::tempdir().unwrap();

        let error = expand(&[folder.path().to_path_buf()]).unwrap_err();

        assert!(error.to_string().ends_with("holds no .tar file"), "{error}");
    }
}
