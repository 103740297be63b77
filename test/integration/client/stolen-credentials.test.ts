import { chmodSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { createFilesystemAccessKeys, makeSealingKey } from '../../../activities/identity/index.ts';
import { accessFile } from '../../setup/access-folder.ts';
import { startTokenIssuer, type TokenIssuer } from '../../unit/identity/token-issuer.ts';
import type { World } from '../../workflow/delivery/release-server.ts';
import { seededWorld } from '../../workflow/delivery/sample-release.ts';
import { refusalOf, startAccessServer, type AccessServer } from './access-server.ts';
import { approvals, errorOf, planOf, requestOf } from './facade-server.ts';
import { approve, reason, signedByAnna, stillWaits, waitingRelease } from './waiting-release.ts';

let server: AccessServer;
let issuer: TokenIssuer;

beforeAll(async () => {
  issuer = await startTokenIssuer();
  server = await startAccessServer();
  const publicKey = await makeSealingKey(server.folder.pathOf('sealing.jwk'));
  server.folder.write('access.yaml', {
    ...accessFile,
    sealing: { publicKey, privateKeyFile: 'sealing.jwk' },
    issuers: [{ issuer: issuer.url, audience: 'holdfast', nameClaim: 'email' }],
  });
}, 60_000);
afterAll(async () => {
  await server.stop();
  await issuer.stop();
});

describe('a key', () => {
  test('of the one who asked, or of one who has left, approves nothing', async () => {
    const world = await seededWorld(server);
    const adam = await server.bypassing(world, 'adam@example.com');
    const run = await adam.delivery.deployService.start(
      requestOf(world, { release: '2', approvals }),
    );
    const planDigest = await planOf(adam, world);
    const own = await errorOf(run.approve({ reason, planDigest }));
    expect(own).toMatchObject({ code: 'PERMISSION_DENIED' });
    expect(own.message).toContain('nobody-approves-their-own');

    const plain = server.env.client.workflow.getHandle(run.workflowId);
    const target = { world, run, plain, planDigest };
    const signed = await signedByAnna(server, target);
    server.folder.leave('anna@example.com');
    const left = await refusalOf(approve(target, signed));
    expect(left).toMatchObject({ code: 'IDENTITY_UNPROVEN' });
    expect(left.message).toContain('anna@example.com is not in the directory');
    server.folder.leave('nobody');
    await stillWaits(target);
    await plain.terminate('the test has seen enough');
  });

  test('that was stolen is worth nothing once it is revoked or over, and stands in no history', async () => {
    const world = await seededWorld(server);
    const { folder } = server;
    const stolen = await folder.keyFor('rita@example.com');
    const over = await folder.keyFor('rita@example.com', { expiresAt: '2026-01-01T00:00:00.000Z' });
    const scoped = await folder.keyFor('rita@example.com', {
      scope: { environments: ['elsewhere'], actions: [] },
    });
    const thief = await server.with(world, { accessKey: stolen.text });
    const run = await thief.delivery.deployService.start(
      requestOf(world, { release: '2', approvals }),
    );
    await planOf(thief, world);
    await createFilesystemAccessKeys(folder.keysFile).revoke(stolen.id, new Date().toISOString());
    expect(await errorOf(run.abort({ reason }))).toMatchObject({
      code: 'IDENTITY_UNPROVEN',
      message: expect.stringContaining('was revoked'),
    });
    for (const { text } of [stolen, over, scoped]) {
      const past = await server.with(world, { accessKey: text });
      const request = requestOf(world, { release: '5' });
      const started = await past.delivery.deployService.start(request);
      expect(await errorOf(started.result())).toMatchObject({ code: 'IDENTITY_UNPROVEN' });
      const asking = await server.with(world, { accessKey: text, accessFile: folder.file });
      expect(await errorOf(asking.delivery.deployService.start(request))).toMatchObject({
        code: 'IDENTITY_UNPROVEN',
      });
    }
    const plain = server.env.client.workflow.getHandle(run.workflowId);
    const history = historyToJSON(await plain.fetchHistory());
    for (const text of [history, Buffer.from(history).toString('base64')]) {
      expect(text).not.toContain(stolen.text.split('.').at(-1));
    }
    await plain.terminate('the test has seen enough');
  });

  test('a flood of forged messages ends, and adds nothing more to the history', async () => {
    const target = await waitingRelease(server);
    const forged = { actor: 'anna@example.com', reason, planDigest: target.planDigest };
    const codes: string[] = [];
    for (let sent = 0; sent < 30; sent += 1) {
      codes.push((await refusalOf(approve(target, forged))).code);
    }
    expect(codes.filter((code) => code === 'IDENTITY_UNPROVEN')).toHaveLength(20);
    expect(codes.slice(20)).toEqual(Array.from({ length: 10 }, () => 'MESSAGE_REFUSED'));
    const { historyLength } = await target.plain.describe();
    await refusalOf(approve(target, forged));
    expect((await target.plain.describe()).historyLength).toBe(historyLength);
    expect(historyLength).toBeLessThan(300);
    await stillWaits(target);
    await target.plain.terminate('the test has seen enough');
  });
});

describe('an access token', () => {
  const claims = { email: 'olga@example.com', groups: ['releasers'] };
  const clientWith = async (world: World, token: string, name: string) => {
    const accessTokenFile = server.folder.write(name, token);
    chmodSync(accessTokenFile, 0o600);
    return server.with(world, { accessFile: server.folder.file, accessTokenFile });
  };

  test('starts a release as its holder, and cannot be read from the history', async () => {
    const world = await seededWorld(server);
    const token = await issuer.token(claims);
    const olga = await clientWith(world, token, 'olga.jwt');
    const run = await olga.delivery.deployService.start(requestOf(world, { release: '2' }));
    const { evidence, outcome } = await run.result();
    expect(outcome).toBe('deployed');
    expect(evidence.identities).toMatchObject([
      { actor: 'olga@example.com', verification: 'verified' },
    ]);
    const input = (await run.input()) as { requestedBy: { proof: string } };
    expect(input.requestedBy.proof).toContain('"sealed"');
    for (const part of token.split('.')) expect(JSON.stringify(input)).not.toContain(part);
  });

  test('for another audience starts nothing', async () => {
    const world = await seededWorld(server);
    const token = await issuer.token(claims, { audience: 'payroll' });
    expect(await errorOf(clientWith(world, token, 'payroll.jwt'))).toMatchObject({
      code: 'IDENTITY_UNPROVEN',
    });
  });
});
