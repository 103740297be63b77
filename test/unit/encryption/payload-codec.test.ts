import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  defaultPayloadConverter,
  type Payload,
  type PayloadCodec,
  type SerializationContext,
} from '@temporalio/common';
import { openKeyRing } from '../../../activities/encryption/filesystem-key-ring.ts';
import {
  createKeyRingFile,
  revokeInKeyRingFile,
  rotateKeyRingFile,
} from '../../../activities/encryption/key-ring-file.ts';
import { createPayloadCodec } from '../../../activities/encryption/payload-codec.ts';
import { errorOf, openRingFolder, secretsIn } from './ring-folder.ts';

const folder = openRingFolder();
afterAll(() => folder.remove());

const secret = 'a-planted-secret';
const at = new Date('2026-01-31T12:00:00.000Z');
const run: SerializationContext = {
  type: 'workflow',
  namespace: 'default',
  workflowId: 'deploy:staging:shop:1',
};

const payloadOf = (value: unknown): Payload => defaultPayloadConverter.toPayload(value);
const textOf = (bytes: Uint8Array | null | undefined): string =>
  Buffer.from(bytes ?? []).toString('utf8');
const metadataOf = ({ metadata }: Payload): Record<string, string> =>
  Object.fromEntries(Object.entries(metadata ?? {}).map(([name, text]) => [name, textOf(text)]));

const sealOne = async (
  codec: PayloadCodec,
  context: SerializationContext = run,
): Promise<Payload> => {
  const [sealed] = await codec.encode([payloadOf({ secret })], context);
  if (sealed === undefined) throw new Error('nothing was sealed');
  return sealed;
};

const openOne = async (codec: PayloadCodec, payload: Payload, context?: SerializationContext) => {
  const [opened] = await codec.decode([payload], context);
  return opened === undefined ? undefined : defaultPayloadConverter.fromPayload<unknown>(opened);
};

let file: string;
let keyId: string;
let codec: PayloadCodec;
beforeAll(async () => {
  file = folder.newPath();
  ({ id: keyId } = await createKeyRingFile(file, at));
  codec = createPayloadCodec(await openKeyRing(file));
});

describe('a sealed payload', () => {
  test('says which key and algorithm, and for which run; nothing else is open', async () => {
    const sealed = await sealOne(codec);
    expect(metadataOf(sealed)).toEqual({
      encoding: 'binary/encrypted',
      'encryption-key-id': keyId,
      'encryption-algorithm': 'AES-256-GCM',
      'encryption-namespace': 'default',
      'encryption-workflow-id': 'deploy:staging:shop:1',
    });
    expect(textOf(sealed.data)).not.toMatch(/secret|json/);
    expect(await openOne(codec, sealed, run)).toEqual({ secret });
  });

  test('looks different each time', async () => {
    const [one, other] = [await sealOne(codec), await sealOne(codec)];
    expect(one.data).not.toEqual(other.data);
  });

  test.each(['encryption-namespace', 'encryption-workflow-id', 'data', 'tail'])(
    'is refused when %s was changed',
    async (field) => {
      const sealed = await sealOne(codec);
      const data = Buffer.from(sealed.data ?? []);
      const place = field === 'tail' ? data.length - 1 : 20;
      if (field in (sealed.metadata ?? {})) {
        sealed.metadata = { ...sealed.metadata, [field]: Buffer.from('other') };
      } else data.writeUInt8((data[place] ?? 0) ^ 1, place);
      const error = await errorOf(openOne(codec, { ...sealed, data }));
      expect(error.type).toBe('PAYLOAD_UNREADABLE');
      expect(error.message).toContain(keyId);
    },
  );

  test('of one run is refused in another run and namespace', async () => {
    const sealed = await sealOne(codec);
    const otherRun = { ...run, workflowId: 'deploy:staging:cart:1' };
    const moved = await errorOf(openOne(codec, sealed, otherRun));
    expect(moved.message).toContain('belongs to the run deploy:staging:shop:1');
    const elsewhere = await errorOf(openOne(codec, sealed, { ...run, namespace: 'production' }));
    expect(elsewhere).toMatchObject({ type: 'PAYLOAD_UNREADABLE' });
  });

  test('of an activity is read in its run, and of one outside of runs by both sides', async () => {
    const activity = { type: 'activity', namespace: 'default', isLocal: false } as const;
    const inRun = await sealOne(codec, { ...activity, workflowId: 'deploy:staging:shop:1' });
    expect(await openOne(codec, inRun, run)).toEqual({ secret });
    const outside = await sealOne(codec, activity);
    expect(await openOne(codec, outside, { ...activity, workflowId: '' })).toEqual({ secret });
  });
});

describe('keys', () => {
  test('that are older still read, and a payload from before there were any is read as it is', async () => {
    const ring = folder.newPath();
    const first = await createKeyRingFile(ring, at);
    const before = await sealOne(createPayloadCodec(await openKeyRing(ring)));
    const second = await rotateKeyRingFile(ring, at);
    const rotated = createPayloadCodec(await openKeyRing(ring));
    const after = await sealOne(rotated);
    expect([before, after].map((each) => metadataOf(each)['encryption-key-id'])).toEqual([
      first.id,
      second.id,
    ]);
    expect(await openOne(rotated, before, run)).toEqual({ secret });
    expect(await openOne(rotated, after, run)).toEqual({ secret });
    expect(await openOne(rotated, payloadOf('in clear'), run)).toBe('in clear');
  });

  test('that another process has added are found without a restart', async () => {
    const ring = folder.newPath();
    await createKeyRingFile(ring, at);
    const early = createPayloadCodec(await openKeyRing(ring));
    await rotateKeyRingFile(ring, at);
    const sealed = await sealOne(createPayloadCodec(await openKeyRing(ring)));
    expect(await openOne(early, sealed, run)).toEqual({ secret });
  });

  test('that are missing are named, with a ring and without one', async () => {
    const sealed = await sealOne(codec);
    const other = folder.newPath();
    await createKeyRingFile(other, at);
    for (const ring of [await openKeyRing(other), undefined]) {
      const error = await errorOf(openOne(createPayloadCodec(ring), sealed, run));
      expect(error.type).toBe('PAYLOAD_KEY_MISSING');
      expect(error.message).toContain(keyId);
    }
  });

  test('that are revoked are refused by name', async () => {
    const ring = folder.newPath();
    const { id } = await createKeyRingFile(ring, at);
    const sealed = await sealOne(createPayloadCodec(await openKeyRing(ring)));
    await rotateKeyRingFile(ring, at);
    await revokeInKeyRingFile(ring, id);
    const error = await errorOf(openOne(createPayloadCodec(await openKeyRing(ring)), sealed, run));
    expect(error.type).toBe('PAYLOAD_KEY_REVOKED');
    expect(error.message).toContain(id);
  });

  test('do not print what they are', async () => {
    const ring = await openKeyRing(file);
    const printed = inspect([ring, await ring.active()], { depth: 9, showHidden: true });
    const [key = ''] = secretsIn(file);
    expect(printed).toContain(keyId);
    expect(printed).not.toContain(key);
    expect(printed).not.toContain(Buffer.from(key, 'base64').toString('hex'));
  });
});

test('without a ring nothing is sealed', async () => {
  const plain = payloadOf({ secret });
  expect(await createPayloadCodec(undefined).encode([plain], run)).toEqual([plain]);
  expect(await openOne(createPayloadCodec(undefined), plain, run)).toEqual({ secret });
});
