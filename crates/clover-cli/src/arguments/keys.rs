//! Keys of a recipe on the command line: `KEY=VALUE`, and options for those that are set most.

use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};

/// Keys that are options as well, and what their help says. `--batch-size 8` is `batch_size=8` under
/// another spelling: nothing else is done with it.
const OPTIONS: [(&str, &str); 11] = [
    ("frames", "Frames of a clip"),
    (
        "image-size",
        "Height and width of a clip in pixels, a multiple of 28",
    ),
    ("text-len", "Word pieces of a text"),
    ("batch-size", "Items of a step"),
    ("epochs", "Times through the data"),
    ("learning-rate", "Largest learning rate"),
    ("warmup-epochs", "Epochs of linear warm-up"),
    ("checkpoint-every", "Steps between two checkpoints"),
    (
        "max-failed-share",
        "Stop when more than this share of the items is broken",
    ),
    ("workers", "Threads that decode"),
    ("seed", "Seed of everything random"),
];

/// Where `KEY=VALUE` stands.
const WORDS: &str = "keys";

/// The keys that replace those of a recipe, each as `key=value`, in the order in which they were given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Keys(pub(crate) Vec<String>);

impl Args for Keys {
    fn augment_args(command: Command) -> Command {
        let words = Arg::new(WORDS)
            .value_name("KEY=VALUE")
            .action(ArgAction::Append)
            .help("Keys of the recipe to replace; `clover recipe show` names them all");
        let options = OPTIONS.map(|(name, help)| {
            Arg::new(name)
                .long(name)
                .action(ArgAction::Append)
                .value_name("VALUE")
                .help_heading("Keys of the recipe, as options")
                .help(help)
        });
        command.arg(words).args(options)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Keys {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let names = OPTIONS.iter().map(|(name, _)| *name).chain([WORDS]);
        let mut given = Vec::new();
        for name in names {
            let values = matches.get_many::<String>(name).into_iter().flatten();
            let places = matches.indices_of(name).into_iter().flatten();
            given.extend(places.zip(values).map(|(place, value)| match name {
                WORDS => (place, value.clone()),
                option => (place, format!("{}={value}", option.replace('-', "_"))),
            }));
        }
        given.sort();
        Ok(Self(given.into_iter().map(|(_, key)| key).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arguments::{Arguments, Command};
    use clap::Parser;
    use clover_trainer::TrainerError;
    use clover_trainer::recipe::{PretrainingRecipe, Recipe};

    fn keys(options: &str) -> Keys {
        let line = format!("clover pretrain --data a.csv --vocab v.txt --out runs/x {options}");
        match Arguments::parse_from(line.trim().split(' ')).command {
            Command::Pretrain(pretrain) => pretrain.keys,
            _ => panic!("another command"),
        }
    }

    fn recipe(options: &str) -> Result<PretrainingRecipe, TrainerError> {
        PretrainingRecipe::shipped("pretrain")?.with_overrides(&keys(options).0)
    }

    #[test]
    fn an_option_and_its_key_give_the_same_recipe() {
        for (option, _) in OPTIONS {
            let value = match option {
                "learning-rate" | "max-failed-share" => "0.25",
                "image-size" => "56",
                _ => "2",
            };
            let key = option.replace('-', "_");

            let by_option = recipe(&format!("--{option} {value}")).unwrap();
            let by_key = recipe(&format!("{key}={value}")).unwrap();

            assert_eq!(by_option, by_key, "{option}");
        }
    }

    #[test]
    fn what_is_not_given_follows_what_is() {
        let shipped = PretrainingRecipe::shipped("pretrain").unwrap();

        let recipe = recipe("--epochs 2 --seed 7 frames=4").unwrap();

        let expected = PretrainingRecipe {
            epochs: 2,
            seed: 7,
            warmup_epochs: 0.0,
            frames: 4,
            test_frames: 4,
            ..shipped
        };
        assert_eq!(recipe, expected);
    }

    #[test]
    fn the_last_one_counts_however_it_is_written() {
        for (options, epochs) in [
            ("--epochs 9 clip_norm=5 epochs=8", 8),
            ("epochs=8 clip_norm=5 --epochs 9", 9),
            ("--epochs 8 --epochs 9", 9),
        ] {
            assert_eq!(recipe(options).unwrap().epochs, epochs, "{options}");
        }
        assert_eq!(keys("--resume epochs=8").0, ["epochs=8"]);
    }

    #[test]
    fn an_unknown_key_is_refused_with_the_nearest() {
        let error = recipe("lr=5").unwrap_err().to_string();

        assert!(error.contains("`learning_rate`"), "{error}");
    }
}
