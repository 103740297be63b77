import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startAccessServer, type AccessServer } from './access-server.ts';
import { accessFile } from '../../setup/access-folder.ts';
import { approvals, planOf, requestOf } from './facade-server.ts';
import { openTerminal, type Ended } from './user-terminal.ts';

let server: AccessServer;

beforeAll(async () => {
  server = await startAccessServer();
}, 60_000);
afterAll(async () => server.stop());

const holdfast = async (
  args: readonly string[],
  settings: Readonly<Record<string, string>> = {},
): Promise<Ended> => {
  const { folder, env, prefix } = server;
  const terminal = openTerminal(
    {
      directory: folder.pathOf('.'),
      temporalAddress: env.address,
      temporalNamespace: env.namespace ?? 'default',
      blobsDirectory: folder.pathOf('blobs'),
      workflowBundlePath: '',
    },
    prefix,
    { HOLDFAST_ACCESS: folder.file, HOLDFAST_ACTOR: '', ...settings },
  );
  return terminal.holdfast(args);
};

describe('holdfast access', () => {
  test('makes a key, lists it without its secret, rotates it and revokes it', async () => {
    const unknown = await holdfast(['access', 'create', '--for', 'mallory@example.com']);
    expect(unknown).toMatchObject({ exitCode: 77, stdout: '' });
    expect(unknown.stderr).toContain('mallory@example.com is not in the directory');

    const made = await holdfast(['access', 'create', '--for', 'rita@example.com']);
    const [, id = '', , secret = ''] = made.stdout.trim().split('.');
    expect(made.exitCode).toBe(0);
    const rotated = await holdfast(['access', 'rotate', id, '--json']);
    const { entry } = JSON.parse(rotated.stdout) as { entry: { id: string; holder: string } };
    expect(entry.holder).toBe('rita@example.com');
    expect(await holdfast(['access', 'revoke', id])).toMatchObject({ exitCode: 0 });

    const listed = await holdfast(['access', 'list']);
    expect(listed.stdout).toMatch(new RegExp(`${id}.*revoked`));
    expect(listed.stdout).toMatch(new RegExp(`${entry.id}.*good`));
    expect(listed.stdout + listed.stderr).not.toContain(secret);
  });

  test('says who may, and why someone may not', async () => {
    const question = ['deployService.approve', '-e', 'prod', '--service', 'shop'];
    const who = await holdfast(['access', 'check', ...question]);
    expect(who).toMatchObject({ exitCode: 0, stdout: 'anna@example.com\nadam@example.com\n' });
    const ci = await holdfast(['access', 'check', ...question, '--as', 'ci@example.com']);
    expect(ci.exitCode).toBe(77);
    expect(ci.stdout).toContain('only-people-approve');
  });

  test('says it of a change of access too, by the command that a refusal names', async () => {
    const question = ['manageAccess.start', '--service', 'ops-4711'];
    const rita = [...question, '--for', 'adam@example.com', '--as', 'rita@example.com'];
    const refused = await holdfast(['access', 'check', ...rita]);
    expect(refused.exitCode).toBe(77);
    expect(refused.stdout).toContain('on the access change ops-4711: no policy permits it');
    const [, named = ''] = /`holdfast ([^`]+)`/.exec(refused.stdout) ?? [];
    expect(named).toContain("-e '*'");
    const again = await holdfast(named.replace("'*'", '*').split(' '));
    expect(again).toMatchObject({ exitCode: 77, stdout: '' });
    expect(again.stderr).toContain('Nobody of the directory may');
    const others = await holdfast(['access', 'check', ...question, '--for', 'new@example.com']);
    expect(others).toMatchObject({ exitCode: 0, stdout: 'adam@example.com\n' });
  });

  test('says what it cannot know without a database', async () => {
    const managed = { ...accessFile, managed: { roles: { operator: {} } } };
    const file = server.folder.write('managed.yaml', managed);
    const question = ['deployService.skip', '-e', 'prod', '--service', 'shop', '--access', file];
    const asked = await holdfast(['access', 'check', ...question]);
    expect(asked).toMatchObject({ exitCode: 0, stdout: 'omar@example.com\nadam@example.com\n' });
    expect(asked.stderr).toContain('not known here, for DATABASE_URL is not set');
  });
});

describe('holdfast approve --print', () => {
  test('prints what an operator pastes: it approves that run, and was not sent', async () => {
    const world = server.world();
    const rita = await server.as(world, 'rita@example.com');
    const run = await rita.delivery.deployService.start(
      requestOf(world, { release: '1', approvals }),
    );
    await planOf(rita, world);
    const command = ['approve', 'shop', '-e', world.environment, '--reason', 'read it', '--print'];
    const { text } = await server.folder.keyFor('anna@example.com');
    const printed = await holdfast(command, { HOLDFAST_ACCESS_KEY: text });
    expect(printed).toMatchObject({ exitCode: 0 });
    expect((await run.evidence()).identities).toHaveLength(1);

    const plain = server.env.client.workflow.getHandle(run.workflowId);
    const pasted: unknown = JSON.parse(printed.stdout);
    await plain.executeUpdate<unknown, [unknown]>('approve', { args: [pasted] });
    expect((await run.result()).outcome).toBe('deployed');

    const bare = await holdfast(command);
    expect(bare.exitCode).not.toBe(0);
    expect(bare.stdout).toBe('');
  });
});
