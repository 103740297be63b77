/**
 * How much of the error that is allowed in total may have been spent when this share of the
 * planned samples is in: α·t^1.5, Kim and DeMets' power family (Biometrika 74, 1987) between
 * Pocock's shape and O'Brien and Fleming's. It sees a doubling nearly as early as Pocock's and
 * keeps most of the power for a small change at the last look; docs/adr/0010 has the figures.
 */
export const spentAlpha = (alpha: number, informationFraction: number): number =>
  alpha * informationFraction ** 1.5;
