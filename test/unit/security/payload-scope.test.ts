import { expect, test } from '@jest/globals';
import { scopeConflict, type PayloadScope } from '../../../domain/security/payload-scope.ts';

const sealed = { namespace: 'prod', workflowId: 'deploy:prod:shop:1' };

const cases: [string, PayloadScope, PayloadScope, string?][] = [
  ['the run that it was sealed for', sealed, sealed],
  [
    'another run',
    sealed,
    { ...sealed, workflowId: 'deploy:prod:cart:1' },
    'run deploy:prod:shop:1',
  ],
  ['another namespace', sealed, { ...sealed, namespace: 'test' }, 'namespace prod'],
  ['a reader that knows the namespace only', sealed, { namespace: 'prod' }],
  ['a reader that knows no place', sealed, {}],
  ['any place, if it was sealed for none', {}, sealed],
  [
    'what a schedule starts',
    { namespace: 'prod', workflowId: 'train:churn' },
    { namespace: 'prod', workflowId: 'train:churn-2026-01-31T06:00:00Z' },
  ],
  [
    'the next run of a schedule, which reads the result of the one before',
    { namespace: 'prod', workflowId: 'train:churn-2026-01-30T06:00:00Z' },
    { namespace: 'prod', workflowId: 'train:churn-2026-01-31T06:00:00Z' },
  ],
  [
    'a run whose id only begins alike',
    { namespace: 'prod', workflowId: 'train:churn' },
    { namespace: 'prod', workflowId: 'train:churn-2' },
    'run train:churn',
  ],
];

test.each(cases.map(([name, ...rest]) => [name, rest] as const))(
  'a payload and %s',
  (_, [from, here, conflict]) => {
    expect(scopeConflict(from, here)).toBe(conflict);
  },
);
