import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  readRecordedChanges,
  recordChange,
  writeRecordedChanges,
} from '../../../sandbox/node/host-change-record.ts';
import type { RecordedChange } from '../../../sandbox/node/host-change-record.ts';
import { describeUnless } from '../../setup/describe-unless.ts';

const forwarding = (before: string): RecordedChange => ({
  kind: 'setting',
  name: 'net.ipv4.ip_forward',
  before,
  after: '1',
});
const address: RecordedChange = { kind: 'address', address: '10.99.0.1/32', device: 'lo' };
const made: RecordedChange = { kind: 'directory', path: '/var/lib/kubelet' };

const reason = process.platform === 'linux' ? undefined : 'host changes are made on Linux only';

describeUnless(reason, 'the record of host changes', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'holdfast-record-'));
  });
  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  test('keeps the value of before the first time', () => {
    recordChange(directory, forwarding('0'));
    recordChange(directory, address);
    recordChange(directory, forwarding('2'));
    recordChange(directory, address);
    expect(readRecordedChanges(directory)).toEqual([forwarding('0'), address]);
  });

  test('of an earlier boot names only what outlives a boot', () => {
    for (const change of [forwarding('0'), address, made]) recordChange(directory, change);
    const path = join(directory, 'host-changes.json');
    const record = JSON.parse(readFileSync(path, 'utf8')) as object;
    writeFileSync(path, JSON.stringify({ ...record, bootId: 'an earlier one' }));
    expect(readRecordedChanges(directory)).toEqual([made]);
  });

  test('is gone when nothing is left to be taken back', () => {
    recordChange(directory, address);
    writeRecordedChanges(directory, []);
    expect(readdirSync(directory)).toEqual([]);
    expect(readRecordedChanges(directory)).toEqual([]);
  });
});
