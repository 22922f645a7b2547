//! What similarities are divided by in training: a number, or what the model learns.

use burn::prelude::*;
use clover_losses::{TEMPERATURE, Temperature};
use serde::de::{self, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::TrainerError;

/// The recipe's word for a learned temperature.
const LEARNED: &str = "learned";

/// What similarities are divided by: a recipe's `"learned"`, or a number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum TemperatureChoice {
    /// The model's `logit_scale`, which learns: a CLIP has one.
    Learned,
    /// A number. Clover, section 4.1: 0.05.
    Constant(f64),
}

impl Default for TemperatureChoice {
    fn default() -> Self {
        Self::Constant(TEMPERATURE)
    }
}

impl TemperatureChoice {
    /// The temperature of a model with this `logit_scale`, `[1]`.
    pub(crate) fn of<B: Backend>(self, logit_scale: Option<Tensor<B, 1>>) -> Temperature<B> {
        match (self, logit_scale) {
            (Self::Learned, Some(logit_scale)) => Temperature::learned(logit_scale),
            // A run without one is refused before it begins.
            (Self::Learned, None) => TEMPERATURE.into(),
            (Self::Constant(temperature), _) => temperature.into(),
        }
    }

    /// Refuses what a model cannot learn.
    pub(crate) fn check(self, has_logit_scale: bool) -> Result<(), TrainerError> {
        match self {
            Self::Learned if !has_logit_scale => Err(TrainerError::RecipeValue {
                key: "temperature",
                reason: "the model has none to learn, as only those of CLIP have: take a number, such as 0.05"
                    .to_owned(),
            }),
            Self::Learned | Self::Constant(_) => Ok(()),
        }
    }

    /// Refuses numbers that nothing can be divided by.
    pub(crate) fn validate(self) -> Result<(), TrainerError> {
        match self {
            Self::Constant(number) if !(number.is_finite() && number > 0.0) => {
                Err(TrainerError::RecipeValue {
                    key: "temperature",
                    reason: "must be \"learned\" or a positive number".to_owned(),
                })
            }
            Self::Learned | Self::Constant(_) => Ok(()),
        }
    }
}

impl Serialize for TemperatureChoice {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Learned => serializer.serialize_str(LEARNED),
            Self::Constant(number) => serializer.serialize_f64(*number),
        }
    }
}

impl<'de> Deserialize<'de> for TemperatureChoice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Read)
    }
}

struct Read;

impl Visitor<'_> for Read {
    type Value = TemperatureChoice;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "a number or \"{LEARNED}\"")
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<TemperatureChoice, E> {
        match value {
            LEARNED => Ok(TemperatureChoice::Learned),
            other => Err(E::invalid_value(Unexpected::Str(other), &self)),
        }
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<TemperatureChoice, E> {
        Ok(TemperatureChoice::Constant(value))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<TemperatureChoice, E> {
        Ok(TemperatureChoice::Constant(value as f64))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<TemperatureChoice, E> {
        Ok(TemperatureChoice::Constant(value as f64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recipe_says_a_number_or_that_it_is_learned() {
        for (written, expected) in [
            ("\"learned\"", TemperatureChoice::Learned),
            ("0.05", TemperatureChoice::default()),
            ("1", TemperatureChoice::Constant(1.0)),
        ] {
            let read: TemperatureChoice = serde_json::from_str(written).unwrap();
            assert_eq!(read, expected);
            let again = serde_json::from_value(serde_json::to_value(read).unwrap()).unwrap();
            assert_eq!(read, again);
        }
        let error = serde_json::from_str::<TemperatureChoice>("\"leaned\"").unwrap_err();
        assert!(
            error.to_string().contains("a number or \"learned\""),
            "{error}"
        );
        assert!(TemperatureChoice::Constant(0.0).validate().is_err());
        assert!(TemperatureChoice::Learned.check(false).is_err());
    }
}
