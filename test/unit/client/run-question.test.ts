import { describe, expect, test } from '@jest/globals';
import { questionAbout } from '../../../client/run-question.ts';
import { catalogue } from '../../../contracts/catalogue.ts';

const requestedBy = { actor: 'adam@example.com', reason: 'on call' };

describe('what policies are asked about a message to a run', () => {
  test.each(catalogue)('of $workflow is known', ({ workflow, example }) => {
    expect(questionAbout(workflow, example)).toMatchObject({ environment: expect.any(String) });
  });

  test('about a release, its place and who asked', () => {
    const input = { environment: 'prod', service: 'shop', requestedBy };
    expect(questionAbout('deployService', input)).toEqual({
      environment: 'prod',
      service: 'shop',
      requestedBy: 'adam@example.com',
    });
  });

  test('about a change of access, whom it is for', () => {
    const input = {
      change: 'ops-4711',
      give: [{ role: 'operator', user: 'ana@example.com', environments: ['prod'] }],
      remove: [{ role: 'releaser', group: 'shop-team', environments: ['prod'] }],
      requestedBy,
    };
    expect(questionAbout('manageAccess', input)).toEqual({
      environment: 'prod',
      service: 'ops-4711',
      requestedBy: 'adam@example.com',
      access: { users: ['ana@example.com'], groups: ['shop-team'], isBreakGlass: false },
    });
  });

  test('is not guessed by the fields: a change that looks like a release is a change', () => {
    const input = {
      environment: 'staging',
      service: 'shop',
      change: 'x',
      certify: true,
      requestedBy,
    };
    expect(() => questionAbout('manageAccess', input)).toThrow(/environment/);
    expect(() => questionAbout('somethingElse', input)).toThrow(/nobody knows/);
  });
});
