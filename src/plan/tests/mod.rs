//! The planner, rule by rule. What happens over time is in `properties` and `year`.

mod build;
mod properties;
mod rules;
mod shown;
mod tree;
mod world;
mod year;
