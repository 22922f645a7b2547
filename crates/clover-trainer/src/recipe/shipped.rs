//! The recipes that are part of the program.

/// A recipe by name, with its comments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShippedRecipe {
    /// The name: that of its file in `recipes/`, without the ending.
    pub name: &'static str,
    /// The whole file.
    pub text: &'static str,
}

/// Every recipe that is part of the program, by name.
pub const SHIPPED_RECIPES: [ShippedRecipe; 3] = [
    ShippedRecipe {
        name: "demo",
        text: include_str!("../../recipes/demo.toml"),
    },
    ShippedRecipe {
        name: "pretrain",
        text: include_str!("../../recipes/pretrain.toml"),
    },
    ShippedRecipe {
        name: "pretrain-webvid-cc3m",
        text: include_str!("../../recipes/pretrain-webvid-cc3m.toml"),
    },
];

impl ShippedRecipe {
    /// The recipe of this name.
    #[must_use]
    pub fn find(name: &str) -> Option<&'static Self> {
        SHIPPED_RECIPES.iter().find(|recipe| recipe.name == name)
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

    /// The names of all, for messages.
    pub(super) fn names() -> String {
        SHIPPED_RECIPES.map(|recipe| recipe.name).join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_folder_is_shipped_under_its_name() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/recipes");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();

        files.sort();

        let names = SHIPPED_RECIPES.map(|recipe| format!("{}.toml", recipe.name));
        assert_eq!(files, names);
    }

    #[test]
    fn every_recipe_says_what_it_is_for() {
        for recipe in SHIPPED_RECIPES {
            assert!(recipe.summary().ends_with('.'), "{}", recipe.name);
        }
    }
}
