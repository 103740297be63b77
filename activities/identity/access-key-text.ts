import {
  createHash,
  createPrivateKey,
  createPublicKey,
  randomBytes,
  sign,
  verify,
  type KeyObject,
} from 'node:crypto';
import { canonicalJson } from '../../domain/delivery/canonical-json.ts';
import { withoutProof } from '../../domain/security/signed-command.ts';
import { codedFailure } from '../coded-failure.ts';

/** An access key as its holder has it. The secret never leaves the process that signs with it. */
export interface AccessKey {
  id: string;
  holder: string;
  privateKey: KeyObject;
}

const prefix = 'holdfast-key';
const secretBytes = 32;
// The fixed beginnings of an Ed25519 key in PKCS #8 and SPKI (RFC 8410, section 10).
const pkcs8Start = Buffer.from('302e020100300506032b657004220420', 'hex');
const spkiStart = Buffer.from('302a300506032b6570032100', 'hex');

const privateKeyOf = (secret: Buffer): KeyObject =>
  createPrivateKey({ key: Buffer.concat([pkcs8Start, secret]), format: 'der', type: 'pkcs8' });

/** A new key: its text, told once, and the half that is stored. */
export const makeAccessKey = (holder: string): { text: string; id: string; publicKey: string } => {
  const secret = randomBytes(secretBytes);
  const id = `a-${randomBytes(5).toString('hex')}`;
  const spki = createPublicKey(privateKeyOf(secret)).export({ format: 'der', type: 'spki' });
  const named = Buffer.from(holder).toString('base64url');
  return {
    text: [prefix, id, named, secret.toString('base64url')].join('.'),
    id,
    publicKey: spki.subarray(spkiStart.length).toString('base64url'),
  };
};

/** @throws CONFIGURATION_INVALID; the text is not quoted, it is a secret */
export const readAccessKey = (text: string): AccessKey => {
  const [mark, id, named, secretText, ...rest] = text.trim().split('.');
  const secret = Buffer.from(secretText ?? '', 'base64url');
  const isWhole = mark === prefix && rest.length === 0 && secret.length === secretBytes;
  if (!isWhole || id === undefined || named === undefined || named === '') {
    throw codedFailure({
      code: 'CONFIGURATION_INVALID',
      message: `The access key is not what \`holdfast access create\` printed: ${prefix} and three parts. Nothing was done.`,
      next: 'Set HOLDFAST_ACCESS_KEY, or the file that HOLDFAST_ACCESS_KEY_FILE names, to the whole text.',
      subject: 'HOLDFAST_ACCESS_KEY',
    });
  }
  const holder = Buffer.from(named, 'base64url').toString('utf8');
  return { id, holder, privateKey: privateKeyOf(secret) };
};

/** So that a signature of ours is never one over something else. */
const domainOf = (command: string): Buffer => Buffer.from(`holdfast command 1\n${command}`);

export const signCommand = ({ privateKey }: AccessKey, command: string): string =>
  sign(null, domainOf(command), privateKey).toString('base64url');

/** False for anything but the signature of this key over this text. */
export const isSignedBy = (
  publicKey: string,
  { command, signature }: { command: string; signature: string },
): boolean => {
  const raw = Buffer.from(publicKey, 'base64url');
  if (raw.length !== secretBytes) return false;
  const key = createPublicKey({
    key: Buffer.concat([spkiStart, raw]),
    format: 'der',
    type: 'spki',
  });
  return verify(null, domainOf(command), key, Buffer.from(signature, 'base64url'));
};

/** Digest of a message or an input, the same before and after it travelled as JSON. */
export const contentDigestOf = (content: unknown): string => {
  const travelled: unknown = JSON.parse(JSON.stringify(content ?? null));
  const text = canonicalJson(withoutProof(travelled));
  return `sha256:${createHash('sha256').update(text).digest('hex')}`;
};
