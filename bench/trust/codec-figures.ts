import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import {
  defaultPayloadConverter,
  type Payload,
  type PayloadCodec,
  type SerializationContext,
} from '@temporalio/common';
import {
  createKeyRingFile,
  createPayloadCodec,
  openKeyRing,
} from '../../activities/encryption/index.ts';
import { median, type Figure } from '../figure.ts';

const rounds = 2_000;
const sizes = [
  ['1 kB', 1_000],
  ['64 kB', 64_000],
] as const;

const run: SerializationContext = {
  type: 'workflow',
  namespace: 'default',
  workflowId: 'deploy:production:shop:1',
};

/** There and back, as a worker writes a payload and another reads it. */
const roundTripMs = async (codec: PayloadCodec, payload: Payload): Promise<number> => {
  const startedAt = performance.now();
  const opened = await codec.decode(await codec.encode([payload], run), run);
  const tookMs = performance.now() - startedAt;
  if (opened[0]?.data?.length !== payload.data?.length) throw new Error('the payload is another');
  return tookMs;
};

/** What sealing and opening one payload adds to leaving it as it is. */
export const measureCodec = async (): Promise<Omit<Figure, 'holds' | 'ratio'>[]> => {
  const folder = mkdtempSync(path.join(tmpdir(), 'holdfast-bench-'));
  try {
    const file = path.join(folder, 'keys.json');
    await createKeyRingFile(file, new Date());
    const [sealing, plain] = [
      createPayloadCodec(await openKeyRing(file)),
      createPayloadCodec(undefined),
    ];
    const figures: Omit<Figure, 'holds' | 'ratio'>[] = [];
    for (const [size, bytes] of sizes) {
      const payload = defaultPayloadConverter.toPayload('x'.repeat(bytes));
      const tookMs = { sealing: [] as number[], plain: [] as number[] };
      for (let round = 0; round < rounds; round += 1) {
        tookMs.sealing.push(await roundTripMs(sealing, payload));
        tookMs.plain.push(await roundTripMs(plain, payload));
      }
      const value = median(tookMs.sealing) - median(tookMs.plain);
      figures.push({ bench: 'trust', metric: 'codec_overhead_ms', case: size, value, unit: 'ms' });
    }
    return figures;
  } finally {
    rmSync(folder, { recursive: true });
  }
};
