import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openIdentity } from '../../../workers/access.ts';
import { readConfig } from '../../../workers/config.ts';
import { StartError } from '../../../workers/start-error.ts';
import { createAccessFolder, type AccessFolder } from '../../setup/access-folder.ts';

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
