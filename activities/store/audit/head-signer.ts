import { createPrivateKey, createPublicKey, sign, verify, type KeyObject } from 'node:crypto';
import {
  headText,
  readNote,
  signedNote,
  type NoteSignature,
  type TreeHead,
} from '../../../domain/security/tree-head.ts';
import { codedFailure } from '../../coded-failure.ts';
import { readOrCreateKey } from '../blob-key.ts';
import { sha256 } from '../sha256.ts';

/** Signs heads of one origin. */
export interface HeadSigner {
  readonly origin: string;
  /** What others check signatures with, as C2SP signed-note has it: name, id and key. */
  readonly verifierKey: string;
  sign(head: Omit<TreeHead, 'origin'>): string;
}

/** What is in front of the 32 bytes of a key in PKCS #8 and in SPKI (RFC 8410). */
const privatePrefix = Buffer.from('302e020100300506032b657004220420', 'hex');
const publicPrefix = Buffer.from('302a300506032b6570032100', 'hex');
/** Number of Ed25519 in C2SP signed-note. */
const algorithm = 0x01;
const idBytes = 4;

const idOf = (name: string, publicKey: Uint8Array): Buffer =>
  sha256(Buffer.concat([Buffer.from(`${name}\n`), Buffer.from([algorithm]), publicKey])).subarray(
    0,
    idBytes,
  );

/**
 * A signer with the key in a file that is made on first use, for its owner alone.
 * @throws CONFIGURATION_INVALID if others may read the file, or it holds no key
 */
export const openHeadSigner = async (keyFile: string, origin: string): Promise<HeadSigner> => {
  const seed = await readOrCreateKey(keyFile);
  const key = createPrivateKey({
    key: Buffer.concat([privatePrefix, seed]),
    format: 'der',
    type: 'pkcs8',
  });
  const publicKey = createPublicKey(key)
    .export({ format: 'der', type: 'spki' })
    .subarray(publicPrefix.length);
  const id = idOf(origin, publicKey);
  const coded = Buffer.concat([Buffer.from([algorithm]), publicKey]).toString('base64');
  return {
    origin,
    verifierKey: `${origin}+${id.toString('hex')}+${coded}`,
    sign: (head) => {
      const text = headText({ origin, ...head });
      const signature = Buffer.concat([id, sign(null, Buffer.from(text), key)]);
      return signedNote(text, { name: origin, value: signature.toString('base64') });
    },
  };
};

/** The head in a note that the key has signed. @throws AUDIT_LOG_BROKEN, INVALID_INPUT */
export const openNote = (note: string, verifierKey: string, source: string): TreeHead => {
  const read = readNote(note);
  if (read === undefined) throw refused(source, 'is no signed head');
  const signer = readVerifierKey(verifierKey);
  const ours = read.signatures.find(({ name, value }) => isBy(signer, name, value));
  if (ours === undefined) throw refused(source, `is not signed by ${signer.name}`);
  if (read.head.origin !== signer.name) throw refused(source, `is of ${read.head.origin}`);
  if (!holds(signer, read.text, ours)) throw refused(source, 'has a signature that does not hold');
  return read.head;
};

interface Verifier {
  name: string;
  id: Buffer;
  key: KeyObject;
}

const readVerifierKey = (text: string): Verifier => {
  const [, name = '', id = '', coded = ''] =
    /^(\S+)\+([0-9a-f]{8})\+(\S+)$/.exec(text.trim()) ?? [];
  const bytes = Buffer.from(coded, 'base64');
  const publicKey = bytes.subarray(1);
  const isSound =
    bytes.length === 33 && bytes[0] === algorithm && idOf(name, publicKey).toString('hex') === id;
  if (!isSound) {
    throw codedFailure({
      code: 'INVALID_INPUT',
      message:
        'The key of the heads is not of the form NAME+ID+KEY, or its id is not that of the key. Nothing was verified.',
      subject: '--key',
    });
  }
  const key = createPublicKey({
    key: Buffer.concat([publicPrefix, publicKey]),
    format: 'der',
    type: 'spki',
  });
  return { name, id: Buffer.from(id, 'hex'), key };
};

const isBy = (signer: Verifier, name: string, value: string): boolean =>
  name === signer.name && Buffer.from(value, 'base64').subarray(0, idBytes).equals(signer.id);

const holds = ({ key }: Verifier, text: string, { value }: NoteSignature): boolean =>
  verify(null, Buffer.from(text), key, Buffer.from(value, 'base64').subarray(idBytes));

const refused = (source: string, reason: string): Error =>
  codedFailure({
    code: 'AUDIT_LOG_BROKEN',
    message: `${source} ${reason}; it vouches for nothing.`,
    next: 'Use the heads and the key as they were exported; if they are, someone has changed them.',
    subject: source,
  });
