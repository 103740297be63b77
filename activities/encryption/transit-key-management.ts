import { z } from 'zod';
import type { ErrorCode } from '../../contracts/errors.ts';
import { codedFailure } from '../coded-failure.ts';
import type { KeyDescription, KeyManagement } from './port.ts';

/** A key of the transit engine of HashiCorp Vault or OpenBao. */
export interface TransitKey {
  /** Scheme, host and port. */
  endpoint: string;
  /** Where the engine is mounted. */
  mount: string;
  /** Name of the key, of a type that takes associated data, such as `aes256-gcm96`. */
  key: string;
  token: string;
}

const answerWithinMs = 15_000;

const Wrapped = z.object({
  data: z.object({ ciphertext: z.string().min(1), key_version: z.number().int() }),
});
const Unwrapped = z.object({ data: z.object({ plaintext: z.base64() }) });
const Described = z.object({
  data: z.object({ latest_version: z.number().int(), min_decryption_version: z.number().int() }),
});
const Refused = z.object({ errors: z.array(z.string()) });

const base64 = (bytes: Uint8Array | string): string => Buffer.from(bytes).toString('base64');

/** Wraps data keys with a key that never leaves Vault or OpenBao. */
export const createTransitKeyManagement = (transit: TransitKey): KeyManagement => {
  const { mount, key } = transit;
  const idOf = (version: number): string => `${mount}/${key}:v${String(version)}`;
  const describe = async (): Promise<KeyDescription> => {
    const { data } = await ask(transit, { path: `keys/${key}`, answer: Described });
    return {
      keeper: 'transit',
      keyId: idOf(data.latest_version),
      readableKeys: data.latest_version - data.min_decryption_version + 1,
    };
  };
  return {
    wrap: async (dataKey, place) => {
      const request = { plaintext: base64(dataKey), associated_data: base64(place) };
      const { data } = await ask(transit, {
        path: `encrypt/${key}`,
        answer: Wrapped,
        body: request,
      });
      return { keyId: idOf(data.key_version), wrapped: Buffer.from(data.ciphertext) };
    },
    unwrap: async ({ wrapped }, place) => {
      const ciphertext = Buffer.from(wrapped).toString('utf8');
      const request = { ciphertext, associated_data: base64(place) };
      const { data } = await ask(transit, {
        path: `decrypt/${key}`,
        answer: Unwrapped,
        body: request,
      });
      return Buffer.from(data.plaintext, 'base64');
    },
    describe,
    rotate: async () => {
      await ask(transit, { path: `keys/${key}/rotate`, answer: z.unknown(), body: {} });
      return describe();
    },
  };
};

interface Question<Answer> {
  /** Below the mount. */
  path: string;
  answer: z.ZodType<Answer>;
  /** With one it is a write. */
  body?: object;
}

const ask = async <Answer>(transit: TransitKey, question: Question<Answer>): Promise<Answer> => {
  const { endpoint, mount, token } = transit;
  const { path, answer: schema, body } = question;
  const answer = await fetch(`${endpoint}/v1/${mount}/${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { 'x-vault-token': token, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    // A redirect would carry the token to wherever the answer says.
    redirect: 'manual',
    signal: AbortSignal.timeout(answerWithinMs),
  }).catch((error: unknown) => {
    throw noAnswer(error, transit);
  });
  const text = await answer.text();
  if (!answer.ok) throw refusal(answer.status, text, transit);
  const outcome = schema.safeParse(text === '' ? {} : parsed(text));
  if (outcome.success) return outcome.data;
  throw failure(transit, {
    code: 'KEYS_UNREACHABLE',
    what: 'answered what no transit engine does',
  });
};

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

/** No message repeats the request: it holds a key. */
const failure = (
  { endpoint, mount, key }: TransitKey,
  { code, what, cause }: { code: ErrorCode; what: string; cause?: unknown },
): Error =>
  codedFailure(
    {
      code,
      message: `The key management at ${endpoint}, key ${mount}/${key}, ${what}. Nothing was sealed or opened.`,
      subject: `${mount}/${key}`,
    },
    { cause },
  );

const noAnswer = (error: unknown, transit: TransitKey): Error => {
  const cause: unknown = error instanceof Error ? (error.cause ?? error) : error;
  const { message } = Object(cause) as { message?: unknown };
  const what = `could not be asked: ${String(message)}`;
  return failure(transit, { code: 'KEYS_UNREACHABLE', what, cause: error });
};

/** 400 is what cannot be decrypted: altered, of another place, or of a version that was given up. */
const codes: Readonly<Record<number, ErrorCode>> = {
  400: 'BLOB_UNREADABLE',
  401: 'KEYS_ACCESS_DENIED',
  403: 'KEYS_ACCESS_DENIED',
  404: 'CONFIGURATION_INVALID',
};

const refusal = (status: number, text: string, transit: TransitKey): Error => {
  const said = Refused.safeParse(parsed(text)).data?.errors.join('; ') ?? '';
  const what = `answered ${String(status)}${said === '' ? '' : `: ${said.slice(0, 300)}`}`;
  return failure(transit, { code: codes[status] ?? 'KEYS_UNREACHABLE', what });
};
