import { describe, expect, test } from '@jest/globals';
import { writeCommand, writeProof } from '../../../domain/security/signed-command.ts';
import { createCommandDesk, type CommandMemory } from '../../../workflows/runtime/command-desk.ts';

const nowMs = Date.UTC(2026, 5, 1);
const place = { workflowId: 'service:prod:shop', action: 'serviceEntity.resolveLock', atMs: nowMs };
const sender = { actor: 'omar@example.com', reason: 'a test' };

const signed = (nonce: string) => {
  const { workflowId, action } = place;
  const command = writeCommand({
    ...{ workflowId, action, nonce, contentDigest: `sha256:${'0'.repeat(64)}` },
    ...{ issuedAtMs: nowMs, expiresAtMs: nowMs + 60_000 },
  });
  return { ...sender, proof: writeProof({ command, key: 'a-1', signature: 'any' }) };
};

describe('where proofs are looked at', () => {
  test('one that was used stays used when its memory goes to the next run of an entity', () => {
    const memory: CommandMemory = {};
    const desk = createCommandDesk(memory);
    expect(desk.problem(signed('n-1'), place)).toBeUndefined();
    desk.use(signed('n-1'), nowMs);
    expect(desk.problem(signed('n-1'), place)).toBe('the proof was used before');

    const carried = JSON.parse(JSON.stringify(memory)) as CommandMemory;
    const next = createCommandDesk(carried);
    expect(next.problem(signed('n-1'), place)).toBe('the proof was used before');
    expect(next.problem(signed('n-2'), place)).toBeUndefined();
    // After its time it is refused for that, and need not be remembered.
    next.use(signed('n-2'), nowMs + 60_000);
    expect(carried.usedNonces?.map(({ nonce }) => nonce)).toEqual(['n-2']);
  });

  test('a message without a proof of ours is left to the activity', () => {
    const memory: CommandMemory = {};
    const desk = createCommandDesk(memory);
    for (const message of [sender, { ...sender, proof: 'a token of another kind' }]) {
      expect(desk.problem(message, place)).toBeUndefined();
      desk.use(message, nowMs);
    }
    expect(memory).toEqual({});
  });

  test('one that was taken stays taken when its run is reset, but not when it was used or is late', () => {
    const desk = createCommandDesk({});
    const ofOtherRun = { ...place, runId: 'the run before it was reset' };
    expect(desk.problem(signed('n-1'), ofOtherRun)).toContain('another run');
    expect(desk.problemSince(signed('n-1'), nowMs)).toBeUndefined();
    expect(desk.problemSince(signed('n-1'), nowMs + 60_000)).toContain('expired');
    desk.use(signed('n-1'), nowMs);
    expect(desk.problemSince(signed('n-1'), nowMs)).toBe('the proof was used before');
  });

  test('after many refusals nothing is looked at for a while, and it says for how long', () => {
    const desk = createCommandDesk({});
    for (let sent = 0; sent < 20; sent += 1) desk.refused(nowMs);
    const again = new Date(nowMs + 3_600_000).toISOString();
    expect(desk.problem(signed('n-1'), place)).toContain(`after ${again}`);
    expect(desk.problem(signed('n-1'), { ...place, atMs: nowMs + 3_600_000 })).toContain('expired');
  });
});
