import { final, passing } from './error-definition.ts';
import type { ErrorDefinition } from './error-definition.ts';

/** What goes wrong with the things that Holdfast runs on. Part of the table in `errors.ts`. */
export const infrastructureErrors = {
  METRICS_UNAVAILABLE: passing({
    exitCode: 69,
    httpStatus: 503,
    meaning: 'The metrics source of the environment does not answer, or something else does.',
    next: 'Check metrics.prometheus.url of the environment in environments.yaml, from where the worker runs.',
  }),
  METRICS_ACCESS_DENIED: final({
    exitCode: 77,
    httpStatus: 403,
    meaning: 'The metrics source does not accept the credentials of the environment.',
    next: 'Correct tokenFile or basicAuth of the environment in environments.yaml, or the rights of that account.',
  }),
  METRICS_QUERY_INVALID: final({
    exitCode: 2,
    httpStatus: 400,
    meaning: 'The metrics source refuses the query, or its answer is not numbers to decide by.',
    next: 'Correct the query; it must give one number, or few, at one time.',
  }),
  METRICS_QUERY_FAILED: passing({
    exitCode: 1,
    httpStatus: 502,
    meaning: 'The metrics source understood the query but could not carry it out.',
    next: 'Run the query in the metrics source; series may match twice, or be too many.',
  }),
  ALERTS_REFUSED: final({
    exitCode: 2,
    httpStatus: 400,
    meaning: 'Prometheus does not load the rule file with the alerts of the release.',
    next: 'Read the log of that Prometheus: it names the file and the mistake, in the alerts or in another file.',
  }),
  ALERTS_UNPROVEN: final({
    exitCode: 1,
    httpStatus: 504,
    meaning:
      'Prometheus did not show in time that the alerts are loaded, or that one of them fires.',
    next: 'Check that rule_files of Prometheus names the rulesDirectory of the environment, and how often it evaluates rules.',
  }),
  WRITE_CONFLICT: passing({
    exitCode: 1,
    httpStatus: 409,
    meaning: 'The object changed between reading and writing; it is read again.',
    next: 'Nothing; it is tried again.',
  }),
  RATE_LIMITED: passing({
    exitCode: 1,
    httpStatus: 429,
    meaning: 'The server asks to slow down.',
    next: 'Nothing; it is tried again later.',
  }),
  BLOB_UNREADABLE: final({
    exitCode: 1,
    httpStatus: 500,
    meaning: 'Stored evidence is missing, was altered, or its key is another one.',
    next: 'Give the worker the store and key that the client wrote with.',
  }),
  BLOBS_FULL: passing({
    exitCode: 69,
    httpStatus: 507,
    meaning: 'The blob store has no room for another blob; what is there was not touched.',
    next: 'Give it room, or raise its quota. A run tries again by itself for some time; start again what was refused at once.',
  }),
  BLOBS_UNREACHABLE: passing({
    exitCode: 69,
    httpStatus: 503,
    meaning: 'The blob store does not answer, or answers that it cannot work now.',
    next: 'Check the endpoint in HOLDFAST_BLOBS, and that service.',
  }),
  BLOBS_ACCESS_DENIED: final({
    exitCode: 77,
    httpStatus: 403,
    meaning: 'The blob store does not accept the credentials, or does not allow what is needed.',
    next: 'Correct AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or grant reading, writing and listing in the place of HOLDFAST_BLOBS.',
  }),
  KEYS_UNREACHABLE: passing({
    exitCode: 69,
    httpStatus: 503,
    meaning: 'The key management that wraps the keys of blobs does not answer, or is sealed.',
    next: 'Check the endpoint in HOLDFAST_BLOB_KEYS, and that service.',
  }),
  KEYS_ACCESS_DENIED: final({
    exitCode: 77,
    httpStatus: 403,
    meaning: 'The key management does not accept the token, or does not allow it what is needed.',
    next: 'Correct VAULT_TOKEN, or allow its policy update on encrypt/KEY and decrypt/KEY of the mount.',
  }),
  STORE_UNREACHABLE: passing({
    exitCode: 69,
    httpStatus: 503,
    meaning: 'The database of the store does not answer, or has no room for another connection.',
    next: 'Start it, or check DATABASE_URL; `holdfast store status` asks it.',
  }),
  STORE_ACCESS_DENIED: final({
    exitCode: 77,
    httpStatus: 403,
    meaning: 'The database does not accept the credentials, or does not allow them what is needed.',
    next: 'Correct user and password in DATABASE_URL, or grant that user what the message names.',
  }),
  STORE_NOT_PRIVATE: final({
    exitCode: 78,
    httpStatus: 500,
    meaning:
      'The connection to a database, blob store or key service on another machine would not be encrypted, or not be proven to lead there.',
    next: 'Use sslmode=verify-full in DATABASE_URL, with sslrootcert=FILE for an authority of your own; https in endpoints, with NODE_EXTRA_CA_CERTS=FILE.',
  }),
  STORE_OUTDATED: final({
    exitCode: 4,
    httpStatus: 409,
    meaning: 'The database lacks migrations that this version needs.',
    next: 'Look at `holdfast store migrate --dry-run`, then run `holdfast store migrate`.',
  }),
  STORE_NEWER: final({
    exitCode: 4,
    httpStatus: 409,
    meaning: 'The database, or the backup, was written by a newer version of Holdfast.',
    next: 'Use that version or a later one; there is no way back except an older backup.',
  }),
  AUDIT_LOG_BROKEN: final({
    exitCode: 4,
    httpStatus: 409,
    meaning: 'The audit log is not what it was: records were changed, are gone, or are older ones.',
    next: 'Run `holdfast audit verify --head DIRECTORY`; it names the first bad record and what was done to it.',
  }),
  STORE_ALTERED: final({
    exitCode: 4,
    httpStatus: 409,
    meaning: 'A migration that was applied is not the one that this version knows by its number.',
    next: 'Use the release that applied it, or restore a backup into an empty database.',
  }),
  STORE_NOT_EMPTY: final({
    exitCode: 4,
    httpStatus: 409,
    meaning: 'The database that a backup should go into holds something already.',
    next: 'Name an empty database in DATABASE_URL, or say --replace to give up what is there.',
  }),
  BACKUP_INVALID: final({
    exitCode: 1,
    httpStatus: 422,
    meaning: 'The file is no backup of the store, is cut off, or was altered.',
    next: 'Take another backup; nothing of this one was used.',
  }),
  PAYLOAD_KEY_MISSING: passing({
    exitCode: 78,
    httpStatus: 500,
    meaning: 'What Temporal stores is sealed with a key that is not in the key ring here.',
    next: 'Set HOLDFAST_KEY_RING to a key ring with the named key, for workers and commands alike; `holdfast keys list` shows what is in one.',
  }),
  PAYLOAD_KEY_REVOKED: final({
    exitCode: 77,
    httpStatus: 403,
    meaning: 'What Temporal stores is sealed with a key that was revoked.',
    next: 'Take the run as lost; if the key was revoked by mistake, set its state back to read-only in the key ring.',
  }),
  PAYLOAD_UNREADABLE: final({
    exitCode: 1,
    httpStatus: 500,
    meaning:
      'What Temporal stores was altered, belongs to another run, or its key is another one of the same name.',
    next: 'Compare the key rings of those who write; if they are equal, someone has changed what is stored.',
  }),
  CODEC_TOKEN_REFUSED: final({
    exitCode: 77,
    httpStatus: 401,
    meaning:
      'The codec endpoint opens payloads only for a token that is known and has not expired.',
    next: 'Make a token with `holdfast keys token --for NAME`; in a browser, sign in at the address of the codec endpoint.',
  }),
  CODEC_ORIGIN_REFUSED: final({
    exitCode: 77,
    httpStatus: 403,
    meaning: 'A page asked the codec endpoint that is not the Temporal UI.',
    next: 'Set HOLDFAST_CODEC_ORIGIN of the worker to the origin of the Temporal UI.',
  }),
  CODEC_REQUEST_TOO_LARGE: final({
    exitCode: 2,
    httpStatus: 413,
    meaning: 'The codec endpoint takes no body of this size.',
    next: 'Ask for fewer payloads at a time.',
  }),
  IDENTITY_UNPROVEN: final({
    exitCode: 77,
    httpStatus: 401,
    meaning:
      'Who asks is not proven: there is no key or token, it is not good any more, or the proof is for something else.',
    next: 'Set HOLDFAST_ACCESS_KEY_FILE to the file of your access key; for another key ask whoever runs `holdfast access create`.',
  }),
  ISSUER_UNREACHABLE: passing({
    exitCode: 69,
    httpStatus: 503,
    meaning:
      'The issuer of an access token does not answer, so that the token is neither good nor bad.',
    next: 'Check that workers reach the issuer and its keys; the check is tried again.',
  }),
  PERMISSION_DENIED: final({
    exitCode: 77,
    httpStatus: 403,
    meaning: 'Who asks is known, and no policy permits what they ask for, or one forbids it.',
    next: 'Ask someone who may; `holdfast access check` tells who that is.',
  }),
  ACCESS_CONFLICT: final({
    exitCode: 4,
    httpStatus: 409,
    meaning:
      'The change of access breaks a rule: roles that nobody may hold together, a role for longer than it may be given, a role for oneself, or nobody left who manages access.',
    next: 'Ask for one of the changes that the error names instead.',
  }),
  ACCESS_CHANGED: passing({
    exitCode: 4,
    httpStatus: 409,
    meaning: 'Another change of access was written at the same moment.',
    next: 'Nothing, it is tried again on what is there now.',
  }),
  ACCESS_TARGET_REFUSED: final({
    exitCode: 77,
    httpStatus: 409,
    meaning: 'A target of access, such as a cluster or a database, does not take a change.',
    next: 'Correct what the error names, then `holdfast access retry-step`.',
  }),
  ACCESS_TARGET_UNREACHABLE: passing({
    exitCode: 69,
    httpStatus: 503,
    meaning: 'A target of access does not answer.',
    next: 'See that it can be reached from the workers, then `holdfast access retry-step`.',
  }),
  ACCESS_TARGET_DIFFERS: passing({
    exitCode: 4,
    httpStatus: 409,
    meaning: 'Read back, a target of access has not what was written to it.',
    next: 'Find out who else changes it, then `holdfast access retry-step`.',
  }),
  TEMPORAL_UNREACHABLE: passing({
    exitCode: 69,
    httpStatus: 503,
    meaning: 'The Temporal server does not answer.',
    next: 'Start it with `npm start`, or check TEMPORAL_ADDRESS.',
  }),
  CONFIGURATION_INVALID: final({
    exitCode: 78,
    httpStatus: 500,
    meaning: 'A setting of the worker or the command line is missing or wrong.',
    next: 'Correct the named setting.',
  }),
  INTERNAL: passing({
    exitCode: 1,
    httpStatus: 500,
    meaning: 'Something happened that has no code of its own.',
    next: 'Read the cause; if it repeats, report it with the run id.',
  }),
} as const satisfies Record<string, ErrorDefinition>;
