//! placeholder until merge
pub struct LayerHealth {
    pub saturated: Option<f64>,
    pub dead: usize,
    pub activation_variance: f64,
    pub gradient_variance: f64,
}
pub struct Health {
    pub layers: Vec<LayerHealth>,
}
impl Health {
    pub fn of(
        _n: &crate::network::Mlp,
        _p: &[f32],
        _r: &crate::math::Rows,
        _w: &mut crate::network::Workspace,
    ) -> Health {
        Health { layers: vec![] }
    }
}
