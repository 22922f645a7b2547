//! `clover recipe`.

use anyhow::{Result, bail};
use clover_trainer::recipe::{PretrainingRecipe, SHIPPED_RECIPES, ShippedRecipe};

use crate::arguments::Recipe;
use crate::progress::say;

pub(super) fn run(asked: Recipe) -> Result<()> {
    match asked {
        Recipe::List => {
            list();
            Ok(())
        }
        Recipe::Show { recipe, keys } => show(&recipe, &keys),
        Recipe::Check { mut recipes, all } => {
            if all {
                recipes.extend(SHIPPED_RECIPES.map(|recipe| recipe.name.to_owned()));
            }
            check(&recipes)
        }
    }
}

fn list() {
    for recipe in SHIPPED_RECIPES {
        say(&format!("{:<12}{}", recipe.name, recipe.summary()));
    }
}

fn show(name: &str, keys: &[String]) -> Result<()> {
    let recipe = PretrainingRecipe::open(name)?.with_overrides(keys)?;
    // The comments are worth reading, but they speak of the values beside them.
    let commented = ShippedRecipe::find(name).filter(|_| keys.is_empty());
    let text = match commented {
        Some(shipped) => shipped.text.to_owned(),
        None => recipe.to_toml()?,
    };
    say(text.trim_end());
    Ok(())
}

/// All of them are read, so that one run names everything that is wrong.
fn check(names: &[String]) -> Result<()> {
    let mut wrong = 0;
    for name in names {
        match PretrainingRecipe::open(name).map_err(anyhow::Error::from) {
            Ok(_) => say(&format!("{name}: complete and valid")),
            Err(error) => {
                wrong += 1;
                say(&format!("{name}: {error:#}"));
            }
        }
    }
    if wrong > 0 {
        bail!("{wrong} of {} recipes cannot be used", names.len());
    }
    Ok(())
}
