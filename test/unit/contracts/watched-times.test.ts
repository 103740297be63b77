import { describe, expect, test } from '@jest/globals';
import { DeployServiceInput } from '../../../contracts/delivery/deploy-service.ts';
import { inputProblems } from '../../../contracts/shared/input-problems.ts';

const reason =
  'must be longer than 0: what is watched for no time is no data, and no data never passes';

const problemsOf = (input: object): { field: string; reason: string }[] => {
  const parsed = DeployServiceInput.safeParse({
    service: 'shop',
    environment: 'staging',
    release: '2',
    manifestsDigest: `sha256:${'0'.repeat(64)}`,
    requestedBy: { actor: 'ana@example.com', reason: 'because of the test' },
    ...input,
  });
  return parsed.success ? [] : inputProblems(parsed.error);
};

describe('how long something is watched', () => {
  const steps = (forMs: number) => [{ weightPercent: 10, forMs }];
  const bake = (forMs: number) => ({ bake: { forMs, maxFailureRatio: 0.01 } });

  test.each(['canary', 'blue-green'])('refuses a stop of a %s that has none', (type) => {
    const strategy = { type, route: 'shop' };
    expect(problemsOf({ strategy: { ...strategy, steps: steps(0) } })).toEqual([
      { field: 'strategy.steps[0].forMs', reason },
    ]);
    expect(problemsOf({ strategy: { ...strategy, steps: steps(1) } })).toEqual([]);
  });

  test('refuses a bake that has none', () => {
    expect(problemsOf(bake(0))).toEqual([{ field: 'bake.forMs', reason }]);
    expect(problemsOf(bake(1))).toEqual([]);
  });
});
