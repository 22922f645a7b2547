//! The recipes that are part of the program.

use std::io;
use std::path::Path;

use clover_data::files::read_regular;

use super::keys::nearest;
use crate::TrainerError;

/// Many times what a recipe needs.
const MAX_BYTES: u64 = 1 << 20;

/// A recipe by name, with its comments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShippedRecipe {
    /// The name: that of its file in `recipes/`, without the extension.
    pub name: &'static str,
    /// The whole file.
    pub text: &'static str,
}

/// The recipe of a file in `recipes/`.
macro_rules! shipped {
    ($name:literal) => {
        ShippedRecipe {
            name: $name,
            text: include_str!(concat!("../../recipes/", $name, ".toml")),
        }
    };
}

/// Every recipe that is part of the program, by name.
pub const SHIPPED_RECIPES: [ShippedRecipe; 26] = [
    shipped!("ablation/clip"),
    shipped!("ablation/rendered"),
    shipped!("ablation/rendered-full"),
    shipped!("demo"),
    shipped!("multiple-choice-custom"),
    shipped!("multiple-choice-lsmdc"),
    shipped!("multiple-choice-msrvtt"),
    shipped!("multiple-choice-tgif-action"),
    shipped!("multiple-choice-tgif-transition"),
    shipped!("open-ended-custom"),
    shipped!("open-ended-lsmdc-fib"),
    shipped!("open-ended-msrvtt-qa"),
    shipped!("open-ended-msvd-qa"),
    shipped!("open-ended-tgif-frame"),
    shipped!("pretrain"),
    shipped!("pretrain-clip"),
    shipped!("pretrain-webvid-cc3m"),
    shipped!("real"),
    shipped!("real-clip"),
    shipped!("retrieval-clip-didemo"),
    shipped!("retrieval-clip-lsmdc"),
    shipped!("retrieval-clip-msrvtt"),
    shipped!("retrieval-custom"),
    shipped!("retrieval-didemo"),
    shipped!("retrieval-lsmdc"),
    shipped!("retrieval-msrvtt"),
];

impl ShippedRecipe {
    /// The recipe of this name.
    #[must_use]
    pub fn find(name: &str) -> Option<&'static Self> {
        SHIPPED_RECIPES.iter().find(|recipe| recipe.name == name)
    }

    /// The text of the file of this path; where there is none, of the shipped recipe of this name. Where
    /// there is none of these, either, the error names those that `suit`.
    pub(super) fn read(path: &Path, suits: impl Fn(&Self) -> bool) -> Result<String, TrainerError> {
        if path.is_file() {
            let text = read_regular(path, MAX_BYTES)
                .and_then(|bytes| String::from_utf8(bytes).map_err(io::Error::other));
            return text.map_err(|source| TrainerError::Read {
                path: path.to_owned(),
                source,
            });
        }
        Ok(Self::named(&path.to_string_lossy(), suits)?.text.to_owned())
    }

    /// As [`find`](Self::find), or an error that names those that `suit`.
    pub(super) fn named(
        name: &str,
        suits: impl Fn(&Self) -> bool,
    ) -> Result<&'static Self, TrainerError> {
        Self::find(name).ok_or_else(|| {
            let suitable = SHIPPED_RECIPES.iter().filter(|recipe| suits(recipe));
            let names: Vec<&str> = suitable.map(|recipe| recipe.name).collect();
            // Whoever names no data set has one of his own.
            let own = format!("{name}-custom");
            let own = names.iter().find(|name| **name == own);
            TrainerError::NoSuchRecipe {
                name: name.to_owned(),
                nearest: own
                    .copied()
                    .unwrap_or_else(|| nearest(name, &names))
                    .to_owned(),
                shipped: names.join(", "),
            }
        })
    }

    /// What the file says of itself first: the sentence of its first comment.
    #[must_use]
    pub fn summary(&self) -> String {
        let comment = self.text.lines().map_while(|line| line.strip_prefix('#'));
        let words: Vec<&str> = comment.map(str::trim).collect();
        let words = words.join(" ");
        match words.split_once(". ") {
            Some((first, _)) => format!("{first}."),
            None => words,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn every_file_of_the_folder_is_shipped_under_its_name() {
        let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/recipes"));
        let mut folders = vec![folder.to_owned()];
        let mut files = Vec::new();
        while let Some(inner) = folders.pop() {
            for entry in fs::read_dir(inner).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let name = path.strip_prefix(folder).unwrap().to_str().unwrap();
                    files.push(name.replace('\\', "/"));
                }
            }
        }

        files.sort();

        let mut names = SHIPPED_RECIPES.map(|recipe| format!("{}.toml", recipe.name));
        names.sort();
        assert_eq!(files, names);
    }

    #[test]
    fn every_recipe_says_what_it_is_for() {
        for recipe in SHIPPED_RECIPES {
            assert!(recipe.summary().ends_with('.'), "{}", recipe.name);
        }
    }
}
