import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  contentDigestOf,
  createAccessGate,
  createFilesystemAccessKeys,
  createOidcTokens,
  createWarrants,
  openAccessSettings,
  readAccessKey,
  signCommand,
  type Warrants,
} from '../../../activities/identity/index.ts';
import type { SentApproval } from '../../../domain/security/approval.ts';
import { writeCommand, writeProof } from '../../../domain/security/signed-command.ts';
import type { Warrant } from '../../../domain/security/warrant.ts';
import { createAccessFolder, type AccessFolder } from '../../setup/access-folder.ts';

let folder: AccessFolder;
let warrants: Warrants;
const keys = new Map<string, { id: string; text: string }>();

beforeAll(async () => {
  folder = createAccessFolder();
  for (const name of ['rita', 'anna', 'adam', 'omar']) {
    keys.set(name, await folder.keyFor(`${name}@example.com`));
  }
  const gate = createAccessGate({
    settings: openAccessSettings(folder.file),
    keysOf: ({ keysFile }) => createFilesystemAccessKeys(keysFile),
    tokens: createOidcTokens(),
  });
  warrants = createWarrants({ gate });
});
afterAll(() => {
  folder.remove();
});

const planDigest = `sha256:${'1'.repeat(64)}`;
const write = {
  workflowId: 'deploy:prod:shop:2',
  runId: 'r-1',
  environment: 'prod',
  service: 'shop',
  release: '2',
  planDigest,
};
const atMs = Date.UTC(2026, 10, 22, 9);

interface Signing {
  action: string;
  runId?: string;
  planDigest?: string;
}

const proofBy = (name: string, content: object, { action, ...rest }: Signing): string => {
  const { text, id } = keys.get(name) ?? { text: '', id: '' };
  const command = writeCommand({
    ...{ workflowId: write.workflowId, action, ...rest },
    contentDigest: contentDigestOf(content),
    nonce: `${name}-${action}`,
    issuedAtMs: atMs,
    expiresAtMs: atMs + 3_600_000,
  });
  return writeProof({ command, key: id, signature: signCommand(readAccessKey(text), command) });
};

const askedBy = (name: string, approvals: object[], changes: object = {}): unknown => {
  const requestedBy = { actor: `${name}@example.com`, reason: 'the new basket' };
  const input = {
    ...{ service: 'shop', environment: 'prod', release: '2', approvals, requestedBy },
    manifestsDigest: `sha256:${'2'.repeat(64)}`,
    ...changes,
  };
  const proof = proofBy(name, input, { action: 'deployService.start' });
  return { ...input, requestedBy: { ...requestedBy, proof } };
};

const approvedBy = (name: string, place: Partial<Signing> = {}): SentApproval => {
  const message = { actor: `${name}@example.com`, reason: 'read it', planDigest };
  const proof = proofBy(name, message, {
    ...{ action: 'deployService.approve', runId: write.runId, planDigest },
    ...place,
  });
  return { message: { ...message, proof }, takenAtMs: atMs + 60_000 };
};

const one = [{ name: 'release-manager' }];
const warrant = (request: unknown, ...approvals: SentApproval[]): Warrant => ({
  ...{ request, approvals },
  startedAtMs: atMs,
});

const codeOf = async (shown: Warrant | undefined): Promise<unknown> =>
  warrants.check(write, shown).then(
    () => 'taken',
    (error: unknown) => (error as { type?: string }).type,
  );

describe('a write', () => {
  test('that was asked for and needs no approval is taken', async () => {
    expect(await codeOf(warrant(askedBy('rita', [])))).toBe('taken');
  });

  test('that was approved is taken', async () => {
    expect(await codeOf(warrant(askedBy('rita', one), approvedBy('anna')))).toBe('taken');
  });

  test('without a warrant is refused', async () => {
    expect(await codeOf(undefined)).toBe('IDENTITY_UNPROVEN');
  });

  test.each([
    { what: 'of another release', changes: { release: '3' } },
    { what: 'of another service', changes: { service: 'till' } },
    { what: 'to another environment', changes: { environment: 'staging' } },
  ])('that was asked for $what is refused', async ({ changes }) => {
    expect(await codeOf(warrant(askedBy('rita', [], changes)))).toBe('IDENTITY_UNPROVEN');
  });

  test('whose request was changed after it was signed is refused', async () => {
    const signed = askedBy('rita', one) as object;
    expect(await codeOf(warrant({ ...signed, approvals: [] }))).toBe('IDENTITY_UNPROVEN');
    const { requestedBy } = signed as { requestedBy: object };
    const unsigned = { ...signed, requestedBy: { ...requestedBy, proof: undefined } };
    expect(await codeOf(warrant(unsigned))).toBe('IDENTITY_UNPROVEN');
    expect(await codeOf(warrant('trust me'))).toBe('IDENTITY_UNPROVEN');
  });

  test('that nobody approved is refused', async () => {
    expect(await codeOf(warrant(askedBy('rita', one)))).toBe('APPROVAL_MISSING');
  });

  test('with an approval of another run or another plan is refused', async () => {
    const other = { runId: 'r-2' };
    expect(await codeOf(warrant(askedBy('rita', one), approvedBy('anna', other)))).toBe(
      'IDENTITY_UNPROVEN',
    );
    const plan = { planDigest: `sha256:${'3'.repeat(64)}` };
    expect(await codeOf(warrant(askedBy('rita', one), approvedBy('anna', plan)))).toBe(
      'IDENTITY_UNPROVEN',
    );
  });

  test('approved by the one who asked, or by someone who may not, is refused', async () => {
    expect(await codeOf(warrant(askedBy('adam', one), approvedBy('adam')))).toBe(
      'PERMISSION_DENIED',
    );
    expect(await codeOf(warrant(askedBy('rita', one), approvedBy('omar')))).toBe(
      'PERMISSION_DENIED',
    );
  });

  test('with a quorum needs as many people, and only those of its groups', async () => {
    const two = [{ name: 'release-manager', quorum: 2 }];
    const request = askedBy('rita', two);
    expect(await codeOf(warrant(request, approvedBy('anna'), approvedBy('anna')))).toBe(
      'APPROVAL_MISSING',
    );
    expect(await codeOf(warrant(request, approvedBy('anna'), approvedBy('adam')))).toBe('taken');
    const approvers = askedBy('rita', [{ name: 'release-manager', groups: ['approvers'] }]);
    expect(await codeOf(warrant(approvers, approvedBy('adam')))).toBe('APPROVAL_MISSING');
    expect(await codeOf(warrant(approvers, approvedBy('anna')))).toBe('taken');
  });

  test('approved by someone who has left since is refused', async () => {
    const shown = warrant(askedBy('rita', one), approvedBy('anna'));
    folder.leave('anna@example.com');
    expect(await codeOf(shown)).toBe('IDENTITY_UNPROVEN');
  });
});
