//! `clover recipe`.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use clover_trainer::recipe::{AnyRecipe, SHIPPED_RECIPES, ShippedRecipe};

use super::render::benchmark_of;
use crate::arguments::Recipe;
use crate::output::print_line;

pub(crate) fn run(asked: Recipe) -> Result<()> {
    match asked {
        Recipe::List => {
            list();
            Ok(())
        }
        Recipe::Show { recipe, keys } => show(&recipe, &keys),
        Recipe::Check { mut recipes, all } => {
            if all {
                recipes.extend(SHIPPED_RECIPES.map(|recipe| recipe.name.into()));
            }
            check(&recipes)
        }
    }
}

fn list() {
    for recipe in SHIPPED_RECIPES {
        print_line(&format!("{:<34}{}", recipe.name, recipe.summary()));
    }
}

fn show(name: &Path, keys: &[String]) -> Result<()> {
    let recipe = AnyRecipe::open(name)?.with_overrides(keys)?;
    // The comments are worth reading, but they speak of the values beside them.
    let commented = name
        .to_str()
        .and_then(ShippedRecipe::find)
        .filter(|_| keys.is_empty());
    let text = match commented {
        Some(shipped) => shipped.text.to_owned(),
        None => recipe.to_toml()?,
    };
    print_line(text.trim_end());
    Ok(())
}

fn usable(name: &Path) -> Result<()> {
    if let AnyRecipe::Ablation(recipe) = AnyRecipe::open(name)? {
        benchmark_of(&recipe)?;
    }
    Ok(())
}

/// All of them are read, so that one run names everything that is wrong.
fn check(names: &[PathBuf]) -> Result<()> {
    let mut wrong = 0;
    for path in names {
        let name = path.display();
        match usable(path) {
            Ok(()) => print_line(&format!("{name}: complete and valid")),
            Err(error) => {
                wrong += 1;
                print_line(&format!("{name}: {error:#}"));
            }
        }
    }
    if wrong > 0 {
        bail!("{wrong} of {} recipes cannot be used", names.len());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shipped_recipes_pass_and_a_broken_one_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mine.toml");
        std::fs::write(&path, "epohcs = 3\n").unwrap();

        let shipped = run(Recipe::Check {
            recipes: Vec::new(),
            all: true,
        });
        let broken = run(Recipe::Check {
            recipes: vec![path],
            all: true,
        });

        shipped.unwrap();
        let message = broken.unwrap_err().to_string();
        assert_eq!(
            message,
            format!("1 of {} recipes cannot be used", SHIPPED_RECIPES.len() + 1)
        );
    }

    #[test]
    fn a_recipe_with_replaced_keys_is_shown() {
        run(Recipe::List).unwrap();

        let shown = show("pretrain".as_ref(), &["epochs=8".to_owned()]);
        let unknown = show("pretrain".as_ref(), &["epohcs=8".to_owned()]);

        shown.unwrap();
        assert!(unknown.unwrap_err().to_string().contains("`epochs`"));
    }
}
