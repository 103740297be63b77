import { createHash, randomBytes } from 'node:crypto';
import { z } from 'zod';
import { unreadableBlob } from './blob-failures.ts';
import { decrypt, encrypt, formatOf, keyedName, type BlobSealer } from './blob-sealer.ts';
import type { DataKeyWrapper } from './port.ts';
import type { BlobPlace } from './sealed-blob-store.ts';

const envelopeFormat = 2;
const keyBytes = 32;
const lengthBytes = 2;

/** In clear before the cipher text, and authenticated with it. */
const Header = z.strictObject({
  keyId: z.string().min(1).max(1_000),
  wrapped: z.base64().min(1).max(20_000),
});

/** Format, length of the header, header, nonce, tag, cipher text. */
const sealInEnvelope = async (
  keys: DataKeyWrapper,
  bytes: Uint8Array,
  place: string,
): Promise<Buffer> => {
  const dataKey = randomBytes(keyBytes);
  const { keyId, wrapped } = await keys.wrap(dataKey, place);
  const header = Buffer.from(
    JSON.stringify({ keyId, wrapped: Buffer.from(wrapped).toString('base64') }),
  );
  const prefix = Buffer.alloc(1 + lengthBytes);
  prefix.writeUInt8(envelopeFormat);
  prefix.writeUInt16BE(header.length, 1);
  const sealed = encrypt(dataKey, bytes, authenticated(header, place));
  dataKey.fill(0);
  return Buffer.concat([prefix, header, sealed]);
};

const openEnvelope = async (
  keys: DataKeyWrapper,
  sealed: Buffer,
  place: string,
): Promise<Buffer> => {
  const { header, body } = partsOf(sealed, place);
  const { keyId, wrapped } = readHeader(header, place);
  const dataKey = await keys.unwrap({ keyId, wrapped: Buffer.from(wrapped, 'base64') }, place);
  try {
    return decrypt(dataKey, body, authenticated(header, place));
  } catch (error) {
    throw unreadableBlob(place, 'was altered, or written for another place', error);
  }
};

const authenticated = (header: Buffer, place: string): string =>
  `${place}\n${header.toString('base64')}`;

const partsOf = (sealed: Buffer, place: string): { header: Buffer; body: Buffer } => {
  const start = 1 + lengthBytes;
  const end = sealed.length < start ? Infinity : start + sealed.readUInt16BE(1);
  if (formatOf(sealed) !== envelopeFormat || end > sealed.length) {
    throw unreadableBlob(place, 'is cut off, or of an unknown format');
  }
  return { header: sealed.subarray(start, end), body: sealed.subarray(end) };
};

const readHeader = (header: Buffer, place: string): z.output<typeof Header> => {
  try {
    return Header.parse(JSON.parse(header.toString('utf8')));
  } catch (error) {
    throw unreadableBlob(place, 'has a head that was altered', error);
  }
};

/** Where the key lies that names are made with; hexadecimal digits, as every name. */
const nameOfNames = createHash('sha256').update('holdfast blob names').digest('hex');
const placeOfNames = 'names';

/**
 * Seals every blob with a data key of its own, which a key management wraps. Names are made with a
 * key that lies in the place itself, sealed in the same way, so that everyone who may unwrap finds
 * the same blobs, also after a rotation.
 */
export const createEnvelopeSealer = (parts: {
  keys: DataKeyWrapper;
  place: BlobPlace;
}): BlobSealer => {
  const { keys, place } = parts;
  let nameKey: Promise<Buffer> | undefined;
  const theNameKey = async (): Promise<Buffer> => {
    nameKey ??= readOrCreateNameKey(keys, place);
    try {
      return await nameKey;
    } catch (error) {
      nameKey = undefined;
      throw error;
    }
  };
  return {
    nameOf: async (digest) => keyedName(await theNameKey(), digest),
    seal: async (bytes, digest) => sealInEnvelope(keys, bytes, digest),
    open: async (sealed, digest) => openEnvelope(keys, sealed, digest),
  };
};

/** The place takes the first one only: who comes second reads what the first has put there. */
const readOrCreateNameKey = async (keys: DataKeyWrapper, place: BlobPlace): Promise<Buffer> => {
  const existing = await place.read(nameOfNames);
  if (existing !== undefined) return openEnvelope(keys, existing, placeOfNames);
  const drafted = await sealInEnvelope(keys, randomBytes(keyBytes), placeOfNames);
  await place.write(nameOfNames, drafted);
  const written = await place.read(nameOfNames);
  if (written === undefined) throw unreadableBlob(placeOfNames, 'vanished while it was made');
  return openEnvelope(keys, written, placeOfNames);
};
