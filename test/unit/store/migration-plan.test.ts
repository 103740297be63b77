import { describe, expect, test } from '@jest/globals';
import { migrations } from '../../../activities/store/postgres/migrations/index.ts';
import { planMigrations, type KnownMigration } from '../../../domain/store/migration-plan.ts';

const step = (number: number, checksum = `sum-${String(number)}`): KnownMigration => ({
  number,
  name: `step ${String(number)}`,
  checksum,
});

const known = [step(1), step(2), step(3)];

describe('what a database needs', () => {
  test('is everything where it is empty, and nothing where all was applied', () => {
    expect(planMigrations(known, [])).toEqual({ state: 'outdated', pending: [1, 2, 3] });
    expect(planMigrations(known, known)).toEqual({ state: 'current' });
    expect(planMigrations([], [])).toEqual({ state: 'current' });
  });

  test('is what comes after the last that was applied', () => {
    expect(planMigrations(known, [step(1)])).toEqual({ state: 'outdated', pending: [2, 3] });
  });

  test('is a newer version where it knows more', () => {
    const applied = [...known, step(4), step(5)];
    expect(planMigrations(known, applied)).toEqual({ state: 'newer', unknown: [4, 5] });
  });

  test('is not decided where a migration is another one, whatever comes after it', () => {
    const altered = [step(1), step(2, 'other')];
    expect(planMigrations(known, altered)).toEqual({ state: 'altered', altered: [2] });
    const alsoNewer = [...altered, step(3), step(4)];
    expect(planMigrations(known, alsoNewer)).toEqual({ state: 'altered', altered: [2] });
  });

  test('is not decided where one is missing though later ones are there', () => {
    expect(planMigrations(known, [step(1), step(3)])).toEqual({ state: 'altered', altered: [2] });
  });
});

test('migrations are numbered from 1 without gaps, and what was released is as it was', () => {
  expect(migrations.map(({ number }) => number)).toEqual(migrations.map((_, index) => index + 1));
  // A line is added with each migration; a line that changes breaks every database there is.
  expect(migrations.map(({ checksum }) => checksum)).toEqual([
    '5503c7f9a68b5537dde2d81d4e37895455cc596ceee00fe1e65ea4d1e7c79c02',
    '53b147038ccb45b9b62bae1f58f54f1898385f567a2af6018c9b4132078fe77d',
    '61122d3e85514d03b5fc65cf1da9eb035638a710cddb39bfaf451a4a35f02146',
    'fc64f87e3936eaba0cd7ca9775ed4b56998d4cdaccbe8e8c240d094b52c24994',
    '18b343de7de13480564485b5ce4a4433d5a470bf62a09d42520cea46ff1891cc',
  ]);
});
