//! Fewer points for the same line.

/// The line without the points that lie within `tolerance` of what is left (Ramer 1972, Douglas & Peucker 1973).
pub fn simplify(points: &[(f64, f64)], tolerance: f64) -> Vec<(f64, f64)> {
    if points.len() < 3 {
        return points.to_vec();
    }
    let mut keep = vec![false; points.len()];
    let mut open = vec![(0, points.len() - 1)];
    keep[0] = true;
    while let Some((first, last)) = open.pop() {
        keep[last] = true;
        let farthest = (first + 1..last)
            .map(|index| (distance(points[index], points[first], points[last]), index))
            .max_by(|a, b| a.0.total_cmp(&b.0));
        if let Some((distance, index)) = farthest
            && distance > tolerance
        {
            open.push((first, index));
            open.push((index, last));
        }
    }
    points.iter().zip(keep).filter(|(_, keep)| *keep).map(|(point, _)| *point).collect()
}

/// Distance of a point from a segment.
fn distance(point: (f64, f64), from: (f64, f64), to: (f64, f64)) -> f64 {
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let length = dx * dx + dy * dy;
    let along = if length == 0.0 { 0.0 } else { ((point.0 - from.0) * dx + (point.1 - from.1) * dy) / length };
    let along = along.clamp(0.0, 1.0);
    (point.0 - from.0 - along * dx).hypot(point.1 - from.1 - along * dy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn straight_parts_lose_their_points_and_corners_stay() {
        let line = [(0.0, 0.0), (1.0, 0.01), (2.0, 0.0), (2.0, 5.0), (2.0, 9.0)];
        assert_eq!(simplify(&line, 0.1), [(0.0, 0.0), (2.0, 0.0), (2.0, 9.0)]);
        assert_eq!(simplify(&line[..2], 0.1), line[..2]);
        assert_eq!(simplify(&[(1.0, 1.0); 5], 0.1).len(), 2);
    }
}
