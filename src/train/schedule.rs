//! placeholder until merge
use serde::{Deserialize, Serialize};
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Schedule {
    #[default]
    Constant,
}
impl Schedule {
    pub fn factor(&self, _step: u64) -> f32 {
        1.0
    }
}
