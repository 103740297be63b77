import { generateKeyPairSync } from 'node:crypto';
import { codedFailure } from '../coded-failure.ts';
import { createPrivateFile, readPrivateFile } from '../private-file.ts';

/**
 * An access token on its way through the history of a run. Whoever reads it could be its holder
 * until it expires, so that it is encrypted for the workers, together with the command it is for.
 */
interface SealedContent {
  command: string;
  token: string;
}

const place = { kind: 'sealing key', renewWith: 'holdfast access sealing-key' };
const algorithm = 'ECDH-ES';
const encryption = 'A256GCM';
const curve = { kty: 'OKP', crv: 'X25519' };

/** A new key pair: the private half into the file, the public one for access.yaml. */
export const makeSealingKey = async (file: string): Promise<string> => {
  const { privateKey } = generateKeyPairSync('x25519');
  const { x = '', d } = privateKey.export({ format: 'jwk' });
  await createPrivateFile({ ...place, file }, `${JSON.stringify({ ...curve, x, d })}\n`);
  return x;
};

export const sealToken = async (publicKey: string, content: SealedContent): Promise<string> => {
  const { CompactEncrypt, importJWK } = await import('jose');
  const key = await importJWK({ ...curve, x: publicKey }, algorithm);
  return new CompactEncrypt(Buffer.from(JSON.stringify(content)))
    .setProtectedHeader({ alg: algorithm, enc: encryption })
    .encrypt(key);
};

/** The token. @throws IDENTITY_UNPROVEN if it was sealed for others, or for another command */
export const openSealedToken = async (
  keyFile: string,
  { sealed, command }: { sealed: string; command: string },
): Promise<string> => {
  const text = await readPrivateFile({ ...place, file: keyFile });
  if (text === undefined) throw missingKey(keyFile);
  const content = await decrypt(text, sealed);
  // The token in clear, next to the command, would let any reader put another command beside it.
  if (content?.command === command) return content.token;
  throw codedFailure({
    code: 'IDENTITY_UNPROVEN',
    message:
      'The sealed token is not for these workers, or not for this command. Nothing was changed.',
    next: 'Check that callers and workers read the same access.yaml, then send the message again.',
  });
};

const decrypt = async (key: string, sealed: string): Promise<SealedContent | undefined> => {
  const { compactDecrypt, importJWK } = await import('jose');
  try {
    const { plaintext } = await compactDecrypt(
      sealed,
      await importJWK(JSON.parse(key) as { kty: string }, algorithm),
      { keyManagementAlgorithms: [algorithm], contentEncryptionAlgorithms: [encryption] },
    );
    const content = JSON.parse(Buffer.from(plaintext).toString('utf8')) as Partial<SealedContent>;
    const { token, command } = content;
    return typeof token === 'string' && typeof command === 'string'
      ? { token, command }
      : undefined;
  } catch {
    return undefined;
  }
};

const missingKey = (file: string): Error =>
  codedFailure({
    code: 'CONFIGURATION_INVALID',
    message: `There is no sealing key ${file}, so that no access token can be read. Nobody is let in by one.`,
    next: 'Give the worker the file that `holdfast access sealing-key` wrote.',
    subject: file,
  });
