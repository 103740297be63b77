export {
  codecTokensBeside,
  createFilesystemCodecTokens,
  issueCodecToken,
  listCodecTokens,
  withdrawCodecToken,
} from './filesystem-codec-tokens.ts';
export { openKeyRing } from './filesystem-key-ring.ts';
export {
  createKeyRingFile,
  listKeys,
  revokeInKeyRingFile,
  rotateKeyRingFile,
} from './key-ring-file.ts';
export { createLoggedDecodeRecords } from './logged-decode-records.ts';
export { createPayloadCodec } from './payload-codec.ts';
export { readPayloads } from './payload-reader.ts';
export { keyManagementOf, openKeyManagement } from './open-key-management.ts';
export { isSealed } from './sealed-payload.ts';
