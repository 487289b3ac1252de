//! placeholder until merge
use serde::{Deserialize, Serialize};
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Clip {
    #[default]
    None,
}
impl Clip {
    pub fn apply(&self, _gradient: &mut [f32]) {}
}
