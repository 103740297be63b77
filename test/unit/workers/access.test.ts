import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openIdentity } from '../../../workers/access.ts';
import { readConfig } from '../../../workers/config.ts';
import { StartError } from '../../../workers/start-error.ts';
import { accessFile, createAccessFolder, type AccessFolder } from '../../setup/access-folder.ts';

let folder: AccessFolder;

beforeAll(() => {
  folder = createAccessFolder();
});
afterAll(() => folder.remove());

const open = async (accessFile: string) =>
  openIdentity(readConfig({ HOLDFAST_POOLS: 'orchestration', HOLDFAST_ACCESS: accessFile }));

const request = {
  actor: 'rita@example.com',
  action: 'deployService.start',
  workflowId: 'deploy:staging:shop:1',
  content: {},
  about: { environment: 'staging', service: 'shop' },
  askedAtMs: 0,
};

describe('a worker', () => {
  test('takes everyone at their word without an access configuration, and says so', async () => {
    const { identity } = await open('');
    expect(await identity.verify(request)).toMatchObject({ verification: 'unverified' });
  });

  test('takes nobody at their word with one', async () => {
    const { identity } = await open(folder.file);
    await expect(identity.verify(request)).rejects.toMatchObject({ type: 'IDENTITY_UNPROVEN' });
  });

  test('without a database does not start where roles are given, and lets nobody in where that comes later', async () => {
    const managed = { ...accessFile, managed: { roles: { operator: {} } } };
    const file = folder.write('managed.yaml', managed);
    const refused = await open(file).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(StartError);
    expect(refused).toMatchObject({ code: 'CONFIGURATION_INVALID' });
    expect(String(refused)).toContain('DATABASE_URL');

    folder.write('managed.yaml', accessFile);
    const { gate } = await open(file);
    const rita = await gate?.personNamed('rita@example.com');
    if (gate === undefined || rita === undefined) throw new Error('the worker checks nobody');
    const question = { ...request.about, action: request.action };
    expect(await gate.permit(rita, question, 0)).toMatchObject({ isAllowed: true });
    folder.write('managed.yaml', managed);
    await expect(gate.permit(rita, question, 0)).rejects.toMatchObject({
      type: 'CONFIGURATION_INVALID',
      message: expect.stringContaining('DATABASE_URL'),
    });
  });

  test('does not start with one that cannot be used, and names the field', async () => {
    const wrong = folder.write('wrong.yaml', { directory: 'directory.yaml', rolls: [] });
    const refused = await open(wrong).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(StartError);
    expect(String(refused)).toContain('rolls: there is no such field');
    expect(String(await open('nowhere.yaml').catch((error: unknown) => error))).toContain(
      'nowhere.yaml',
    );
  });
});
