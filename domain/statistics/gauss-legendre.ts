const { cos, PI } = Math;

/** A place to evaluate a function at, and what its value there counts. */
export interface Node {
  at: number;
  weight: number;
}

/** Legendre's polynomial of this degree and its derivative, by the three-term recurrence. */
const legendre = (degree: number, x: number): { value: number; slope: number } => {
  let before = 1;
  let value = x;
  for (let order = 2; order <= degree; order += 1) {
    const next = ((2 * order - 1) * x * value - (order - 1) * before) / order;
    before = value;
    value = next;
  }
  return { value, slope: (degree * (x * value - before)) / (x * x - 1) };
};

/**
 * Nodes whose weighted sum is the integral of a smooth function from 0 to `length`, by Gauss'
 * rule: exact for polynomials of degree 2·count - 1. At least two nodes.
 */
export const gaussLegendre = (count: number, length: number): readonly Node[] =>
  Array.from({ length: count }, (_, index) => {
    let x = cos((PI * (index + 0.75)) / (count + 0.5));
    // The start is right to three digits or more, and Newton's method doubles them.
    for (let round = 0; round < 4; round += 1) {
      const { value, slope } = legendre(count, x);
      x -= value / slope;
    }
    const { slope } = legendre(count, x);
    return { at: (length * (1 + x)) / 2, weight: length / ((1 - x * x) * slope * slope) };
  });
