import { describe, expect, test } from '@jest/globals';
import {
  approvalsAskedFor,
  approverProblem,
  approversAmong,
  describeWanted,
  isApproved,
  unreachableBecause,
} from '../../../domain/security/approval.ts';

const by = (actor: string, ...groups: string[]) => ({ actor, groups });

describe('an approval', () => {
  test('of one person needs one, whoever they are', () => {
    expect(isApproved({}, [])).toBe(false);
    expect(isApproved({}, [by('ana')])).toBe(true);
  });

  test('of two needs two different people', () => {
    expect(isApproved({ quorum: 2 }, [by('ana'), by('ana')])).toBe(false);
    expect(isApproved({ quorum: 2 }, [by('ana'), by('ben')])).toBe(true);
  });

  test('of a group counts its members and nobody else', () => {
    const wanted = { quorum: 2, groups: ['leads', 'security'] };
    const given = [by('ana', 'leads'), by('ben', 'ops'), by('ben')];
    expect(approversAmong(wanted, given)).toEqual(['ana']);
    expect(isApproved(wanted, given)).toBe(false);
    expect(isApproved(wanted, [...given, by('cleo', 'ops', 'security')])).toBe(true);
    expect(approverProblem(wanted, by('ben', 'ops'))).toBe('ben is not in leads or security');
    expect(approverProblem(wanted, by('ana', 'leads'))).toBeUndefined();
  });

  test('says in words who is asked', () => {
    expect(describeWanted({})).toBe('one person');
    expect(describeWanted({ quorum: 2, groups: ['leads', 'security'] })).toBe(
      '2 people of leads or security',
    );
  });

  test('is out of reach where too few people count, and says who does', () => {
    const wanted = { quorum: 2, groups: ['leads'] };
    const able = [by('ana', 'leads'), by('ben')];
    expect(unreachableBecause(wanted, able)).toBe(
      'wanted is that of 2 people of leads, and only ana may give it',
    );
    expect(unreachableBecause(wanted, [])).toContain('nobody may give it');
    expect(unreachableBecause(wanted, [...able, by('cleo', 'leads')])).toBeUndefined();
    expect(unreachableBecause({}, able)).toBeUndefined();
  });

  test('counts for policies with every person that is asked for', () => {
    expect(approvalsAskedFor([])).toBe(0);
    expect(approvalsAskedFor([{}, { quorum: 3 }])).toBe(4);
  });
});
