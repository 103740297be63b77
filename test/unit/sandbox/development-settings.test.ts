import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { searchAttributes } from '../../../contracts/search-attributes.ts';
import { packageRoot } from '../../../sandbox/package-root.ts';
import { SandboxError } from '../../../sandbox/sandbox-error.ts';
import {
  parseDevelopmentSettings,
  readDevelopmentSettings,
} from '../../../sandbox/temporal/development-settings.ts';
import { startDevArgs } from '../../../sandbox/temporal/development-server.ts';

const COMMITTED = join(packageRoot(), 'temporal-dev.yaml');

function complaintAbout(text: string): string {
  try {
    parseDevelopmentSettings(text, 'temporal-dev.yaml');
  } catch (error) {
    if (error instanceof SandboxError && error.code === 'SANDBOX_CONFIG_INVALID') {
      return error.message;
    }
    throw error;
  }
  return '';
}

describe('the committed temporal-dev.yaml', () => {
  test('registers exactly the search attributes that workflows set', async () => {
    const settings = await readDevelopmentSettings(COMMITTED);
    const used = Object.values(searchAttributes).map(({ name, type }) => [name, type]);
    const registered = Object.entries(settings.searchAttributes).map(([name, type]) => [
      name,
      type.toUpperCase(),
    ]);
    expect(registered.sort()).toEqual(used.sort());
  });

  test('lets the one shard read its queues fast and runs be paused', async () => {
    const args = startDevArgs(await readDevelopmentSettings(COMMITTED), {
      ports: { server: 7001, ui: 7002 },
      databasePath: '/state/temporal.db',
    });
    const dynamic = args.filter((_, index) => args[index - 1] === '--dynamic-config-value');
    expect(dynamic).toEqual(
      expect.arrayContaining([
        'history.transferProcessorMaxPollRPS=2000',
        'history.timerProcessorMaxPollRPS=2000',
        'frontend.WorkflowPauseEnabled=true',
      ]),
    );
  });

  test('is the whole truth: no field is left to a default', async () => {
    const text = await readFile(COMMITTED, 'utf8');
    for (const field of ['address', 'port', 'uiPort', 'logLevel', 'persistence']) {
      expect(text).toMatch(new RegExp(`^ {2}${field}: `, 'm'));
    }
  });
});

describe('settings become flags', () => {
  const local = { ports: { server: 7001, ui: 7002 }, databasePath: '/state/temporal.db' };

  test('a file database is named, a memory one is not', () => {
    const file = parseDevelopmentSettings('server: {persistence: file}', 'x');
    const memory = parseDevelopmentSettings('server: {persistence: memory}', 'x');
    expect(startDevArgs(file, local)).toContain('/state/temporal.db');
    expect(startDevArgs(memory, local)).not.toContain('--db-filename');
  });

  test('every namespace is made and text values of dynamic config are quoted', () => {
    const settings = parseDevelopmentSettings(
      'namespaces: [default, staging]\ndynamicConfig: {system.mode: fast}',
      'x',
    );
    const args = startDevArgs(settings, local);
    expect(args.filter((_, index) => args[index - 1] === '--namespace')).toEqual([
      'default',
      'staging',
    ]);
    expect(args).toContain('system.mode="fast"');
  });
});

describe('what is wrong is named with its place', () => {
  test('an unknown field', () => {
    expect(complaintAbout('server:\n  port: auto\n  prot: 7233\n')).toMatch(
      /^temporal-dev\.yaml:3:\d+: server\.prot: /,
    );
  });

  test('a port that is none', () => {
    expect(complaintAbout('server:\n  port: 70000\n')).toMatch(
      /^temporal-dev\.yaml:2:9: server\.port: /,
    );
  });

  test('a search attribute of an unknown type', () => {
    expect(complaintAbout('searchAttributes:\n  Good: Keyword\n  Bad: Word\n')).toMatch(
      /^temporal-dev\.yaml:3:8: searchAttributes\.Bad: /,
    );
  });

  test('text that is no YAML', () => {
    expect(complaintAbout('server:\n  port: [1,\nnamespaces: x')).toMatch(
      /^temporal-dev\.yaml:\d+:\d+: /,
    );
  });

  test('every problem at once', () => {
    const complaint = complaintAbout('server: {port: 0}\nnamespaces: []\n');
    expect(complaint).toContain('server.port');
    expect(complaint).toContain('namespaces');
  });
});
