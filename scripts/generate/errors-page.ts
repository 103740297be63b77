import { errors } from '../../contracts/errors.ts';
import { exitCodes } from '../../client/cli/report-error.ts';
import { generatedNote, table } from './markdown.ts';

/** `docs/reference/errors.md` */
export const errorsPage = (): string => {
  const overview = Object.entries(errors).map(([code, { exitCode, httpStatus, retryable }]) => [
    `[${code}](#${code.toLowerCase()})`,
    String(exitCode),
    String(httpStatus),
    retryable ? 'yes' : 'no',
  ]);
  const sections = Object.entries(errors).map(
    ([code, { meaning, next }]) => `## ${code}\n\n${meaning}\n\nNext: ${next}`,
  );
  return [
    generatedNote,
    '# Errors',
    'Every error has a code. It is the type of the failure in the Temporal UI, the field `code` of an `OpsError`, and the first word on standard error. "Retryable" means that the same call may succeed later without anyone changing anything.',
    `Exit codes that belong to no error: ${exitCodeText()}.`,
    table(['Code', 'Exit code', 'HTTP status', 'Retryable'], overview),
    ...sections,
  ]
    .join('\n\n')
    .concat('\n');
};

const exitCodeText = (): string =>
  Object.entries(exitCodes)
    .map(([name, code]) => `${String(code)} ${words(name)}`)
    .join(', ');

const words = (name: string): string =>
  name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
