import { describe, expect, test } from '@jest/globals';
import { renderReview, reviewRoles } from '../../../client/cli/review-access.ts';
import type { AccessGrant } from '../../../domain/security/access-grant.ts';

const nowMs = Date.UTC(2026, 10, 22, 12);
const hourMs = 3_600_000;

const directory = [
  { name: 'ana@example.com', kind: 'person' as const, groups: ['shop-team'], isDisabled: false },
  { name: 'ben@example.com', kind: 'person' as const, groups: [], isDisabled: true },
  { name: 'ci@example.com', kind: 'service' as const, groups: [], isDisabled: false },
];

const given = (changes: Partial<AccessGrant>): AccessGrant => ({
  role: 'operator',
  holder: { user: 'ana@example.com' },
  environments: ['prod'],
  change: 'ops-4711',
  ...changes,
});

const review = (...grants: AccessGrant[]) =>
  reviewRoles(
    {
      directory,
      named: [
        { role: 'releaser', users: ['ben@example.com'], groups: ['shop-team'] },
        { role: 'approver', users: ['tom@example.com'], groups: ['auditors'] },
      ],
      given: grants,
      isComplete: true,
    },
    nowMs,
  );

const shown = (...grants: AccessGrant[]): string =>
  renderReview(review(...grants), { widthChars: 200, colour: false }).join('\n');

describe('a review of all roles', () => {
  test('has those of access.yaml and those that were given, and who has none', () => {
    const text = shown(given({}));
    expect(text).toMatch(/ana@example\.com +operator in prod\n/);
    expect(text).toMatch(/\n +releaser in all environments, by group shop-team\n/);
    expect(text).toMatch(/ci@example\.com +none/);
  });

  test('leaves out what has ended, and marks what ends within a day', () => {
    const text = shown(
      given({ untilMs: nowMs - 1 }),
      given({ role: 'auditor', untilMs: nowMs + hourMs }),
      given({ role: 'viewer', untilMs: nowMs + 48 * hourMs }),
    );
    expect(text).not.toContain('operator');
    expect(text).toMatch(/auditor in prod, until 2026-11-22T13:00:00Z +ends soon/);
    expect(text).toMatch(/viewer in prod, until 2026-11-24T12:00:00Z$/m);
  });

  test('tells of roles that people hold who have left, or are not in the directory', () => {
    const text = shown();
    expect(text).toMatch(/ben@example\.com +releaser in all environments +disabled/);
    expect(text).toMatch(/tom@example\.com +approver in all environments +not in the directory/);
    expect(text).toMatch(/group auditors +approver .* nobody of the directory/);
  });
});
