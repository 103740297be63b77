import { describe, expect, test } from '@jest/globals';
import {
  afterRefusal,
  fullAllowance,
  isUsed,
  mayBeRefused,
  nextAllowedAtMs,
  withNonce,
} from '../../../domain/security/command-log.ts';
import {
  commandProblem,
  readCommand,
  readProof,
  writeCommand,
  writeProof,
  type Command,
} from '../../../domain/security/signed-command.ts';

const nowMs = Date.UTC(2026, 5, 1);
const hourMs = 3_600_000;
const digest = `sha256:${'0'.repeat(64)}`;

const command: Command = {
  workflowId: 'deploy:prod:shop:1',
  runId: 'r-1',
  action: 'deployService.approve',
  planDigest: digest,
  contentDigest: digest,
  nonce: 'n-1',
  issuedAtMs: nowMs,
  expiresAtMs: nowMs + hourMs,
};

const place = {
  workflowId: 'deploy:prod:shop:1',
  runId: 'r-1',
  action: 'deployService.approve',
  planDigest: digest,
  atMs: nowMs,
};

describe('a command', () => {
  test('reads back from its proof; a text of another kind is no proof', () => {
    const text = writeProof({ command: writeCommand(command), key: 'a-1', signature: 's' });
    const proof = readProof(text);
    expect(readCommand(proof?.command ?? '')).toEqual(command);
    for (const other of ['', 'token', '[]', '{"holdfast":2}', '{"holdfast":1,"command":"{}"}']) {
      expect(readProof(other)).toBeUndefined();
    }
    for (const field of ['workflowId', 'action', 'contentDigest', 'nonce', 'issuedAtMs']) {
      expect(readCommand(JSON.stringify({ ...command, [field]: {} }))).toBeUndefined();
    }
  });

  test.each([
    [{}, undefined],
    [{ workflowId: 'deploy:prod:shop:2' }, 'is for the run deploy:prod:shop:1'],
    [{ runId: 'r-2' }, 'for another run'],
    [{ action: 'deployService.skip' }, 'not for deployService.skip'],
    [{ planDigest: `sha256:${'1'.repeat(64)}` }, 'for plan'],
    [{ atMs: nowMs + hourMs }, 'expired'],
    [{ atMs: nowMs - hourMs }, 'later than now'],
  ])('at %j: %s', (changes, problem) => {
    const told = commandProblem(command, { ...place, ...changes });
    if (problem === undefined) expect(told).toBeUndefined();
    else expect(told).toContain(problem);
  });

  test('that names no run fits no run, and one that is good for ever is not taken', () => {
    const { runId: _run, ...loose } = command;
    expect(commandProblem(loose, place)).toContain('another run');
    const eternal = { ...command, expiresAtMs: nowMs + 25 * hourMs };
    expect(commandProblem(eternal, place)).toContain('more than a day');
  });
});

describe('what a run remembers of commands', () => {
  test('a nonce is used until its command would have expired', () => {
    const used = withNonce([], { nonce: 'n-1', expiresAtMs: nowMs + 1 }, nowMs);
    expect(isUsed(used, 'n-1')).toBe(true);
    const later = withNonce(used, { nonce: 'n-2', expiresAtMs: nowMs + hourMs }, nowMs + 1);
    expect(later.map(({ nonce }) => nonce)).toEqual(['n-2']);
  });

  test('a flood of refusals is cut off, and one in an hour is looked at again', () => {
    let allowance = fullAllowance(nowMs);
    let taken = 0;
    for (let minute = 0; minute < 7 * 24 * 60; minute += 1) {
      const atMs = nowMs + minute * 60_000;
      if (!mayBeRefused(allowance, atMs)) continue;
      allowance = afterRefusal(allowance, atMs);
      taken += 1;
    }
    // At six events each this stays far below what a history may have.
    expect(taken).toBeGreaterThanOrEqual(20);
    expect(taken).toBeLessThan(200);
    expect(mayBeRefused(allowance, nextAllowedAtMs(allowance))).toBe(true);
  });
});
